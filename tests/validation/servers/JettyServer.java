import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.AbstractHandler;
import org.eclipse.jetty.server.handler.HandlerList;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.eclipse.jetty.websocket.api.Session;
import org.eclipse.jetty.websocket.api.WebSocketAdapter;
import org.eclipse.jetty.websocket.server.WebSocketHandler;
import org.eclipse.jetty.websocket.servlet.WebSocketServletFactory;

/** Jetty's own WebSocket, without servlets; a thread publishes to all sessions. */
public class JettyServer {
    static final Set<Client> CLIENTS = ConcurrentHashMap.newKeySet();
    static final Pattern ID = Pattern.compile("\"id\": ?(\"[^\"]*\"|[0-9]+)");
    static int stateBytes;

    public static class Client extends WebSocketAdapter {
        volatile boolean follows;
        final List<byte[]> state = new ArrayList<>();

        @Override
        public void onWebSocketConnect(Session session) {
            super.onWebSocketConnect(session);
            session.setIdleTimeout(0);
            for (int left = stateBytes; left > 0; left -= 1000) state.add(new byte[984]);
            CLIENTS.add(this);
        }

        @Override
        public void onWebSocketText(String text) {
            Matcher id = ID.matcher(text);
            follows = text.contains("\"subscribe\"");
            send("{\"id\": " + (id.find() ? id.group(1) : "null") + ", \"ok\": true}");
        }

        @Override
        public void onWebSocketClose(int code, String reason) {
            CLIENTS.remove(this);
        }

        synchronized void send(String text) {
            try {
                getRemote().sendString(text);
            } catch (Exception gone) {
                CLIENTS.remove(this);
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        String padding = "x".repeat(Integer.parseInt(arguments[2]));
        stateBytes = Integer.parseInt(arguments[3]);
        Server server = new Server(new QueuedThreadPool(20));
        ServerConnector connector = new ServerConnector(server, 1, 1);
        connector.setHost(arguments[0]);
        connector.setAcceptQueueSize(2048);
        server.addConnector(connector);
        WebSocketHandler sockets = new WebSocketHandler() {
            @Override
            public void configure(WebSocketServletFactory factory) {
                factory.getPolicy().setIdleTimeout(0);
                factory.getExtensionFactory().unregister("permessage-deflate");
                factory.register(Client.class);
            }
        };
        AbstractHandler snapshot = new AbstractHandler() {
            @Override
            public void handle(
                    String path, Request base, HttpServletRequest request, HttpServletResponse response)
                    throws IOException {
                response.setContentType("application/json");
                response.getWriter().print(
                        "{\"ts\": " + System.currentTimeMillis() + ", \"pad\": \"" + padding + "\"}");
                base.setHandled(true);
            }
        };
        server.setHandler(new HandlerList(sockets, snapshot));
        server.start();
        System.err.println("server ready on " + arguments[0] + ":" + connector.getLocalPort());
        long round = (long) (1e9 / Double.parseDouble(arguments[1])), due = System.nanoTime() + round;
        for (long seq = 1; ; seq++) {
            Thread.sleep(Math.max(0, (due - System.nanoTime()) / 1_000_000));
            due = Math.max(due + round, System.nanoTime());
            String text = "{\"ch\": \"updates\", \"ts\": " + System.currentTimeMillis() + ", \"seq\": "
                    + seq + ", \"pad\": \"" + padding + "\"}";
            for (Client client : CLIENTS) if (client.follows) client.send(text);
        }
    }
}
