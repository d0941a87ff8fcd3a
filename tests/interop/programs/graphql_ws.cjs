// graphql-ws on ws: one subscription, updates when it is told to, and how many it sent.
const http = require("http");
const { WebSocketServer } = require("ws");
const { buildSchema } = require("graphql");
const { useServer } = require("graphql-ws/use/ws");

const schema = buildSchema(`
  type Tick { seq: Int, ts: Float }
  type Query { none: Int }
  type Subscription { tick(symbol: String!): Tick }`);
const followers = new Set();
let sent = 0;

async function* tick() {
  const queue = [];
  let wake = () => {};
  const push = (item) => { queue.push(item); wake(); };
  followers.add(push);
  try {
    for (;;) {
      while (queue.length) { sent += 1; yield { tick: queue.shift() }; }
      await new Promise((resolve) => { wake = resolve; });
    }
  } finally { followers.delete(push); }
}

const server = http.createServer((request, response) => {
  const url = new URL(request.url, "http://here");
  if (url.pathname === "/publish") {
    for (let seq = +url.searchParams.get("from"); seq < +url.searchParams.get("to"); seq += 1)
      for (const push of followers) push({ seq, ts: Date.now() });
  }
  response.end(String(url.pathname === "/followers" ? followers.size : sent));
});
useServer({ schema, roots: { subscription: { tick } } }, new WebSocketServer({ server, path: "/graphql" }));
server.listen(+process.argv[2], "127.0.0.1");
