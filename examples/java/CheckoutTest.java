import com.sun.net.httpserver.HttpServer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Starts the example, looks at its page and at what it kept. Arguments: the catalog of tests/conformance, a folder for the log. */
public final class CheckoutTest {
    public static void main(String[] arguments) throws Exception {
        Path log = Path.of(arguments[1]);
        HttpServer server = new Checkout(Path.of(arguments[0]), log).start(0);
        String host = "http://localhost:" + server.getAddress().getPort();
        String base = host + "/confirmation?order=";
        try (HttpClient client = HttpClient.newHttpClient()) {
            List<CompletableFuture<HttpResponse<String>>> pages = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                pages.add(client.sendAsync(get(base + "A-" + i + "&item=espresso-machine&item=beans-house"),
                        HttpResponse.BodyHandlers.ofString()));
            }
            for (int i = 0; i < 50; i++) {
                String text = pages.get(i).get().body();
                check(text.contains("Thank you for order A-" + i + "<") && text.contains("item=grinder\">Grinder</a>"), text);
            }
            String accept = "";
            for (String card : List.of("kept", "once")) {
                String text = client.send(get(base + card + "&item=espresso-machine&card=" + card), HttpResponse.BodyHandlers.ofString())
                        .body();
                check(text.contains("Grinder</a>, added with one click") == card.equals("kept"), text);
                Matcher link = Pattern.compile("<a href=\"(/accept\\?decision=[0-9a-f]{32}&amp;item=grinder)\">Grinder</a>").matcher(text);
                check(link.find(), text);
                accept = link.group(1).replace("&amp;", "&");
            }
            for (int twice = 0; twice < 2; twice++) {
                HttpResponse<String> gone = client.send(get(host + accept), HttpResponse.BodyHandlers.ofString());
                check(gone.statusCode() == 303 && gone.headers().firstValue("Location").get().equals("/product/grinder"), gone.toString());
            }
            String text = client.send(get(base + "%3Cb%3E" + "&item=x".repeat(600)), HttpResponse.BodyHandlers.ofString()).body();
            check(text.contains("&lt;b&gt;") && !text.contains("/accept"), text);
        }
        server.stop(0);
        long kept = 0; // by the deciders of the pool, in a ring each
        try (DirectoryStream<Path> rings = Files.newDirectoryStream(log.resolve("rings"), "*.ring")) {
            for (Path ring : rings) {
                kept += ByteBuffer.wrap(Files.readAllBytes(ring)).order(ByteOrder.LITTLE_ENDIAN).getLong(24);
            }
        }
        String events = Files.readString(log.resolve("incoming/events.jsonl"));
        check(kept == 52 && events.split("\"activated\"", -1).length == 53 && events.split("\"accepted\"", -1).length == 3,
                "of 52 decisions are kept " + kept + "\n" + events);
        System.out.println("ok: the example's page has offers, and its 52 decisions are in the log");
        System.exit(0);
    }

    private static HttpRequest get(String uri) {
        return HttpRequest.newBuilder(URI.create(uri)).build();
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }
}
