# Faye's WebSocket on a loop of EventMachine. Options in SAID, in bytes and updates a second.
require 'eventmachine'
require 'faye/websocket'
require 'json'

OPTIONS = JSON.parse(ENV.fetch('SAID'))
PADDING = 'x' * OPTIONS['payload_bytes']
Client = Struct.new(:follows, :state)
CLIENTS = {}

def now_s
  Process.clock_gettime(Process::CLOCK_MONOTONIC)
end

def now_ms
  format('%.3f', Time.now.to_f * 1000)
end

def publish(seq, due_s)
  update = %({"ch": "updates", "ts": #{now_ms}, "seq": #{seq}, "pad": "#{PADDING}"})
  CLIENTS.each { |socket, client| socket.send(update) if client.follows }
  due_s = [due_s + 1.0 / OPTIONS['rate_per_s'], now_s].max
  EM.add_timer(due_s - now_s) { publish(seq + 1, due_s) }
end

def follow(env)
  socket = Faye::WebSocket.new(env)
  socket.on(:open) { CLIENTS[socket] = Client.new(false, "\x01" * OPTIONS['state_bytes']) }
  socket.on(:message) do |event|
    asked = JSON.parse(event.data)
    CLIENTS[socket].follows = asked['op'] == 'subscribe'
    socket.send(%({"id": #{asked['id']}, "ok": true}))
  end
  socket.on(:close) { CLIENTS.delete(socket) }
  socket.rack_response
end

Thread.new { EventMachine.run }
sleep 0.05 until EventMachine.reactor_running?
EventMachine.schedule { publish(1, now_s) }
Faye::WebSocket.load_adapter('puma')

run(lambda do |env|
  return follow(env) if Faye::WebSocket.websocket?(env)

  [200, { 'Content-Type' => 'application/json' }, [%({"ts": #{now_ms}, "pad": "#{PADDING}"})]]
end)
