import aftercart.Accept;
import aftercart.AftercartException;
import aftercart.DeciderPool;
import aftercart.Engine;
import aftercart.EventKind;
import aftercart.LogEvent;
import aftercart.Offer;
import aftercart.Offers;
import aftercart.Payment;
import aftercart.Transaction;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;

/**
 * A confirmation page that decides within the request.
 *
 * <pre>
 * java --enable-native-access=ALL-UNNAMED -cp aftercart.jar examples/java/Checkout.java shop.aftercart
 * curl 'localhost:8080/confirmation?order=A-1&amp;item=SKU&amp;item=SKU'
 * </pre>
 *
 * with {@code &card=kept} where it was paid by a card that you may charge again. Where AFTERCART_LOG names a folder, it keeps there
 * what it decided, that the page was sent, and which offers were accepted, while beside it runs
 * {@code aftercart log --log FOLDER --catalog shop.aftercart --every 5}.
 */
public final class Checkout {
    private final Engine engine;
    private final DeciderPool pool;
    private final Path log; // its folder; null = none is kept

    /** Opens the catalog: once, for all requests. */
    Checkout(Path catalog, Path log) {
        this.log = log;
        engine = Engine.open(catalog);
        if (log != null) {
            engine.logTo(log); // before its deciders are made
        }
        pool = new DeciderPool(engine);
    }

    public static void main(String[] arguments) throws IOException {
        String log = System.getenv("AFTERCART_LOG");
        new Checkout(Path.of(arguments[0]), log == null ? null : Path.of(log)).start(8080);
    }

    HttpServer start(int port) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress("localhost", port), 0);
        server.createContext("/confirmation", this::confirmation);
        server.createContext("/accept", this::accept);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.start();
        return server;
    }

    /** In a shop the order comes from your database; the rest is what you would write. */
    private void confirmation(HttpExchange exchange) throws IOException {
        String orderId = "";
        List<String> items = new ArrayList<>();
        Transaction.Builder order = Transaction.builder();
        for (String pair : query(exchange)) {
            String value = value(pair);
            if (pair.startsWith("order=")) {
                orderId = value;
            } else if (pair.startsWith("item=")) {
                items.add(value);
            } else if (pair.startsWith("card=")) {
                order.payment(Payment.CARD);
                if (value.equals("kept")) {
                    order.rechargeable(true);
                }
            }
        }
        order.orderId(orderId).createdAtMs(System.currentTimeMillis());
        items.forEach(order::line);
        Offers offers = offers(order.build());
        byte[] page = page(orderId, items, offers).getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "text/html; charset=utf-8");
        exchange.sendResponseHeaders(200, page.length);
        exchange.getResponseBody().write(page);
        if (offers != null) { // it was sent; where a script tells you that it was seen, say so then
            note(EventKind.ACTIVATED, offers.decisionId(), "");
        }
        exchange.close();
    }

    /** What a link of an offer leads to. In a shop, what was offered is in the session: anybody can write an address. */
    private void accept(HttpExchange exchange) throws IOException {
        String decision = "";
        String item = "";
        for (String pair : query(exchange)) {
            if (pair.startsWith("decision=")) {
                decision = value(pair);
            } else if (pair.startsWith("item=")) {
                item = value(pair);
            }
        }
        if (!decision.isEmpty() && !item.isEmpty()) {
            note(EventKind.ACCEPTED, decision, item);
        }
        exchange.getResponseHeaders().set("Location", "/product/" + uri(item));
        exchange.sendResponseHeaders(303, -1);
        exchange.close();
    }

    /** Says what came of a decision. By its id it counts once, however often a page or a link is loaded. */
    private void note(EventKind kind, String decision, String item) {
        if (log == null) {
            return;
        }
        try {
            LogEvent.of(kind, kind + " " + decision + item, decision, System.currentTimeMillis()).withItem(item).append(log);
        } catch (AftercartException failed) {
            warn(failed);
        }
    }

    /** Null where there are none to show: a receipt needs no offers. */
    private Offers offers(Transaction order) {
        try {
            return pool.decide(order);
        } catch (AftercartException failed) {
            warn(failed);
            return null;
        }
    }

    private static void warn(AftercartException failed) {
        System.getLogger("checkout").log(System.Logger.Level.WARNING, failed.getMessage());
    }

    private static String[] query(HttpExchange exchange) {
        String query = exchange.getRequestURI().getRawQuery();
        return query == null ? new String[0] : query.split("&");
    }

    private static String value(String pair) {
        return URLDecoder.decode(pair.substring(pair.indexOf('=') + 1), StandardCharsets.UTF_8);
    }

    private static String uri(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private String page(String orderId, List<String> items, Offers offers) {
        StringBuilder page = new StringBuilder("<!doctype html>\n<meta charset=\"utf-8\">\n<title>Thank you</title>\n");
        page.append("<h1>Thank you for order ").append(html(orderId)).append("</h1>\n<ul>\n");
        items.forEach(item -> page.append("  <li>").append(html(item)).append("</li>\n"));
        page.append("</ul>\n");
        if (offers != null && !offers.slate().isEmpty()) {
            page.append("<h2>Goes well with it</h2>\n<ul>\n");
            for (Offer offer : offers.slate()) {
                page.append("  <li><a href=\"/accept?decision=").append(offers.decisionId()).append("&amp;item=").append(uri(offer.id()))
                        .append("\">").append(html(engine.title(offer))).append("</a>").append(how(offer.accept())).append("</li>\n");
            }
            page.append("</ul>\n");
        }
        return page.toString();
    }

    /** How an offer may be accepted is decided for you; how that looks is yours. */
    private static String how(Accept accept) {
        return switch (accept) {
            case ONE_CLICK_STORED_CREDENTIAL -> ", added with one click, paid as this order";
            case CONFIRM_CONSENT -> ", added after you agree to its terms";
            case REDIRECT -> ", at our partner";
            case LEAD_OPT_IN -> ", join here";
            case null, default -> ""; // the product's own page
        };
    }

    private static String html(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }
}
