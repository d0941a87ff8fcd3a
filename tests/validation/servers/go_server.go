// Gorilla's websocket package: a goroutine for each connection, one that publishes to all of them.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

type client struct {
	socket   *websocket.Conn
	followed bool
	state    []byte
	lock     sync.Mutex
}

type update struct {
	Channel string       `json:"ch"`
	Time    float64      `json:"ts"`
	Seq     int          `json:"seq"`
	Padding string       `json:"pad"`
	Book    [][2]float64 `json:"book"`
}

var (
	host       = flag.String("host", "127.0.0.1", "")
	rate       = flag.Float64("rate-per-s", 2, "")
	payload    = flag.Int("payload-bytes", 100, "")
	stateBytes = flag.Int("state-bytes", 0, "")
	tableBytes = flag.Int("table-bytes", 0, "of an entry")
	levels     = flag.Int("book-levels", 0, "")
	lock       sync.Mutex
	clients    = map[*client]bool{}
	table      = make([]byte, 0)
	entries    = 64
)

func milliseconds() float64 { return float64(time.Now().UnixMicro()) / 1000 }

// grow doubles the table when it is full, as hash tables do.
func grow() {
	if *tableBytes > 0 && (len(clients) > entries || len(table) == 0) {
		if len(clients) > entries {
			entries *= 2
		}
		bigger := make([]byte, entries**tableBytes)
		for at := range bigger {
			bigger[at] = 1
		}
		table = bigger
	}
}

func follow(response http.ResponseWriter, request *http.Request) {
	upgrader := websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024}
	socket, err := upgrader.Upgrade(response, request, nil)
	if err != nil {
		return
	}
	defer socket.Close()
	one := &client{socket: socket, state: make([]byte, *stateBytes)}
	for at := range one.state {
		one.state[at] = 1
	}
	lock.Lock()
	clients[one] = true
	grow()
	lock.Unlock()
	defer func() {
		lock.Lock()
		delete(clients, one)
		lock.Unlock()
	}()
	for {
		var asked struct {
			Op string          `json:"op"`
			ID json.RawMessage `json:"id"`
		}
		if socket.ReadJSON(&asked) != nil {
			return
		}
		lock.Lock()
		one.followed = asked.Op == "subscribe"
		lock.Unlock()
		one.lock.Lock()
		one.socket.SetWriteDeadline(time.Now().Add(time.Second))
		err := socket.WriteMessage(websocket.TextMessage,
			[]byte(fmt.Sprintf(`{"id": %s, "ok": true}`, asked.ID)))
		one.lock.Unlock()
		if err != nil {
			return
		}
	}
}

func publish() {
	padding, seq := strings.Repeat("x", *payload), 0
	round := time.Duration(float64(time.Second) / *rate)
	due := time.Now().Add(round)
	for {
		time.Sleep(time.Until(due))
		due = due.Add(round)
		if due.Before(time.Now()) {
			due = time.Now()
		}
		seq++
		now := milliseconds()
		book := make([][2]float64, *levels)
		for n := range book {
			book[n] = [2]float64{64000.5 + float64(n), float64((seq + n) % 97)}
		}
		lock.Lock()
		all := make([]*client, 0, len(clients))
		for one := range clients {
			if one.followed {
				all = append(all, one)
			}
		}
		lock.Unlock()
		for _, one := range all {
			// A client's own view: each is put into words anew.
			body, _ := json.Marshal(update{"updates", now, seq, padding, book})
			text := fmt.Sprintf(`{"ch": "updates", "ts": %f, "seq": %d, "body": %s}`, now, seq, body)
			one.lock.Lock()
			one.socket.SetWriteDeadline(time.Now().Add(time.Second))
			err := one.socket.WriteMessage(websocket.TextMessage, []byte(text))
			one.lock.Unlock()
			if err != nil {
				one.socket.Close()
			}
		}
	}
}

func main() {
	flag.Parse()
	http.HandleFunc("/ws", follow)
	http.HandleFunc("/snapshot", func(response http.ResponseWriter, _ *http.Request) {
		response.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(response, `{"ts": %f, "pad": "%s"}`, milliseconds(), strings.Repeat("x", *payload))
	})
	listener, err := net.Listen("tcp", *host+":0")
	if err != nil {
		panic(err)
	}
	go publish()
	fmt.Fprintf(os.Stderr, "server ready on %s\n", listener.Addr())
	panic(http.Serve(listener, nil))
}
