import aftercart.Accept;
import aftercart.AftercartException;
import aftercart.DeciderPool;
import aftercart.Engine;
import aftercart.Offer;
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
 * with {@code &card=kept} where it was paid by a card that you may charge again.
 */
public final class Checkout {
    private final Engine engine;
    private final DeciderPool pool;

    /** Opens the catalog: once, for all requests. */
    Checkout(Path catalog) {
        engine = Engine.open(catalog);
        pool = new DeciderPool(engine);
    }

    public static void main(String[] arguments) throws IOException {
        new Checkout(Path.of(arguments[0])).start(8080);
    }

    HttpServer start(int port) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress("localhost", port), 0);
        server.createContext("/confirmation", this::confirmation);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.start();
        return server;
    }

    /** In a shop the order comes from your database; the rest is what you would write. */
    private void confirmation(HttpExchange exchange) throws IOException {
        String orderId = "";
        List<String> items = new ArrayList<>();
        Transaction.Builder order = Transaction.builder();
        String query = exchange.getRequestURI().getRawQuery();
        for (String pair : query == null ? new String[0] : query.split("&")) {
            String value = URLDecoder.decode(pair.substring(pair.indexOf('=') + 1), StandardCharsets.UTF_8);
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
        byte[] page = page(orderId, items, offers(order.build())).getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "text/html; charset=utf-8");
        exchange.sendResponseHeaders(200, page.length);
        exchange.getResponseBody().write(page);
        exchange.close();
    }

    private List<Offer> offers(Transaction order) {
        try {
            return pool.decide(order).slate();
        } catch (AftercartException failed) {
            System.getLogger("checkout").log(System.Logger.Level.WARNING, failed.getMessage());
            return List.of(); // a receipt needs no offers
        }
    }

    private String page(String orderId, List<String> items, List<Offer> offers) {
        StringBuilder page = new StringBuilder("<!doctype html>\n<meta charset=\"utf-8\">\n<title>Thank you</title>\n");
        page.append("<h1>Thank you for order ").append(html(orderId)).append("</h1>\n<ul>\n");
        items.forEach(item -> page.append("  <li>").append(html(item)).append("</li>\n"));
        page.append("</ul>\n");
        if (!offers.isEmpty()) {
            page.append("<h2>Goes well with it</h2>\n<ul>\n");
            for (Offer offer : offers) {
                page.append("  <li><a href=\"/product/").append(URLEncoder.encode(offer.id(), StandardCharsets.UTF_8))
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
