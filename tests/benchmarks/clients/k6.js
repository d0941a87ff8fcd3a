// k6 with its newer WebSocket module, 100 sockets a virtual user; every message is parsed and its
// delay goes to a Trend. PORT, CONNECTIONS and SECONDS (of the whole run) come as --env.
import { Counter, Trend } from "k6/metrics";
import { WebSocket } from "k6/experimental/websockets";

const SOCKETS = 100;

export const options = {
  scenarios: {
    subscribers: {
      executor: "per-vu-iterations",
      vus: Number(__ENV.CONNECTIONS) / SOCKETS,
      iterations: 1,
      maxDuration: `${__ENV.SECONDS}s`, // The server answers no close frame: cut the run off.
      gracefulStop: "0s",
    },
  },
  summaryTrendStats: ["p(50)", "p(99)"],
};

const delay = new Trend("delay_ms");
const received = new Counter("received");

export default function () {
  for (let i = 0; i < SOCKETS; i++) {
    const socket = new WebSocket(`ws://127.0.0.1:${__ENV.PORT}/`);
    socket.onmessage = (message) => {
      delay.add(Date.now() - JSON.parse(message.data).params.data.ts / 1000);
      received.add(1);
    };
  }
}

export function handleSummary(data) {
  const values = data.metrics.delay_ms.values;
  const figures = {
    messages: data.metrics.received.values.count,
    delay_p50_ms: values["p(50)"],
    delay_p99_ms: values["p(99)"],
  };
  return { stdout: JSON.stringify(figures) + "\n" };
}
