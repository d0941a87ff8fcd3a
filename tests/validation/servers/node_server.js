// The ws library on Node. Options as the launcher hands them on, in milliseconds and bytes.
"use strict";
const http = require("http");
const { WebSocketServer } = require("/usr/share/nodejs/ws");

const options = JSON.parse(process.argv[2]);
const clients = new Set();
const padding = "x".repeat(options.payload_bytes);
let seq = 0;

// Objects of the heap that the cap is on: strings and boxed numbers, no buffers outside of it.
function state() {
  const kept = [];
  for (let n = 0; n < options.state_bytes / 56; n++) kept.push({ price: n + 0.5, size: n });
  return kept;
}

function book() {
  const levels = [];
  for (let n = 0; n < options.book_levels; n++) levels.push([64000.5 + n, (seq + n) % 97]);
  return levels;
}

const server = http.createServer((_request, response) => {
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ ts: Date.now(), pad: padding }));
});
const sockets = new WebSocketServer({ server, path: "/ws", perMessageDeflate: options.deflate });
sockets.on("connection", (socket) => {
  const client = { socket, followed: false, state: state() };
  clients.add(client);
  socket.on("message", (data) => {
    const asked = JSON.parse(data);
    client.followed = asked.op === "subscribe";
    socket.send(JSON.stringify({ id: asked.id, ok: true }));
  });
  socket.on("error", () => socket.terminate());
  socket.on("close", () => clients.delete(client));
});

const round = 1000 / options.rate_per_s;
let due = Date.now() + round;
function publish() {
  seq += 1;
  const update = { ch: "updates", ts: Date.now(), seq, pad: padding };
  if (options.book_levels) update.book = book();
  for (const client of clients) {
    // A client's own view: each is put into words anew. Python's separators, as the other servers.
    if (client.followed) {
      client.socket.send(
        `{"ch": "updates", "ts": ${update.ts}, "seq": ${seq}, "body": ${JSON.stringify(update)}}`,
      );
    }
  }
  due = Math.max(due + round, Date.now());
  setTimeout(publish, Math.max(0, due - Date.now()));
}
setTimeout(publish, round);
server.listen({ host: options.host, port: 0, backlog: 2048 }, () => {
  process.stderr.write(`server ready on ${options.host}:${server.address().port}\n`);
});
