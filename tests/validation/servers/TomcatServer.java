import jakarta.websocket.CloseReason;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.MessageHandler;
import jakarta.websocket.Session;
import jakarta.websocket.server.ServerContainer;
import jakarta.websocket.server.ServerEndpointConfig;
import java.io.File;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.websocket.server.WsContextListener;

/** Tomcat's WebSocket; a thread publishes to all sessions, the pool of the connector does the rest. */
public class TomcatServer {
    static final Set<Client> CLIENTS = ConcurrentHashMap.newKeySet();
    static final Pattern ID = Pattern.compile("\"id\": ?(\"[^\"]*\"|[0-9]+)");
    static int stateBytes;

    public static class Client extends Endpoint {
        Session session;
        volatile boolean follows;
        final List<byte[]> state = new ArrayList<>();

        @Override
        public void onOpen(Session opened, EndpointConfig config) {
            session = opened;
            for (int left = stateBytes; left > 0; left -= 1000) state.add(new byte[984]);
            session.addMessageHandler(String.class, new MessageHandler.Whole<String>() {
                @Override
                public void onMessage(String text) {
                    Matcher id = ID.matcher(text);
                    follows = text.contains("\"subscribe\"");
                    send("{\"id\": " + (id.find() ? id.group(1) : "null") + ", \"ok\": true}");
                }
            });
            CLIENTS.add(this);
        }

        @Override
        public void onClose(Session closed, CloseReason reason) {
            CLIENTS.remove(this);
        }

        synchronized void send(String text) {
            try {
                session.getBasicRemote().sendText(text);
            } catch (Exception gone) {
                CLIENTS.remove(this);
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        String host = arguments[0];
        double rate = Double.parseDouble(arguments[1]);
        String padding = "x".repeat(Integer.parseInt(arguments[2]));
        stateBytes = Integer.parseInt(arguments[3]);
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(arguments[5]);
        tomcat.setHostname(host);
        tomcat.setPort(0);
        tomcat.getConnector().setProperty("address", host);
        tomcat.getConnector().setProperty("maxThreads", "20");
        tomcat.getConnector().setProperty("acceptCount", "2048");
        if (!arguments[4].equals("0")) {
            tomcat.getConnector().setProperty("maxConnections", arguments[4]);
        }
        Context context = tomcat.addContext("", new File(arguments[5]).getAbsolutePath());
        context.addApplicationListener(WsContextListener.class.getName());
        context.addServletContainerInitializer((classes, servlets) -> {}, null);
        Tomcat.addServlet(context, "snapshot", new jakarta.servlet.http.HttpServlet() {
            @Override
            protected void doGet(
                    jakarta.servlet.http.HttpServletRequest request,
                    jakarta.servlet.http.HttpServletResponse response)
                    throws java.io.IOException {
                response.setContentType("application/json");
                response.getWriter().print("{\"ts\": " + System.currentTimeMillis() + ", \"pad\": \"" + padding + "\"}");
            }
        });
        context.addServletMappingDecoded("/", "snapshot");
        tomcat.start();
        ((ServerContainer) context.getServletContext()
                .getAttribute("jakarta.websocket.server.ServerContainer"))
            .addEndpoint(ServerEndpointConfig.Builder.create(Client.class, "/ws").build());
        System.err.println("server ready on " + host + ":" + tomcat.getConnector().getLocalPort());
        long round = (long) (1e9 / rate), due = System.nanoTime() + round;
        for (long seq = 1; ; seq++) {
            Thread.sleep(Math.max(0, (due - System.nanoTime()) / 1_000_000));
            due = Math.max(due + round, System.nanoTime());
            long now = System.currentTimeMillis();
            for (Client client : CLIENTS) {
                if (client.follows) {
                    client.send("{\"ch\": \"updates\", \"ts\": " + now + ", \"seq\": " + seq
                        + ", \"pad\": \"" + padding + "\"}");
                }
            }
        }
    }
}
