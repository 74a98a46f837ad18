import com.sun.net.httpserver.HttpServer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Starts the example and looks at its page. Argument: the catalog of tests/conformance. */
public final class CheckoutTest {
    public static void main(String[] arguments) throws Exception {
        HttpServer server = new Checkout(Path.of(arguments[0])).start(0);
        String base = "http://localhost:" + server.getAddress().getPort() + "/confirmation?order=";
        try (HttpClient client = HttpClient.newHttpClient()) {
            List<CompletableFuture<HttpResponse<String>>> pages = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                pages.add(client.sendAsync(get(base + "A-1&item=espresso-machine&item=beans-house"),
                        HttpResponse.BodyHandlers.ofString()));
            }
            for (CompletableFuture<HttpResponse<String>> page : pages) {
                String text = page.get().body();
                check(text.contains("Thank you for order A-1") && text.contains("<a href=\"/product/grinder\">Grinder</a>"), text);
            }
            for (String card : List.of("kept", "once")) {
                String text = client.send(get(base + "A-1&item=espresso-machine&card=" + card), HttpResponse.BodyHandlers.ofString())
                        .body();
                check(text.contains("Grinder</a>, added with one click") == card.equals("kept"), text);
            }
            String text = client.send(get(base + "%3Cb%3E" + "&item=x".repeat(600)), HttpResponse.BodyHandlers.ofString()).body();
            check(text.contains("&lt;b&gt;") && !text.contains("/product/"), text);
        }
        server.stop(0);
        System.out.println("ok: the example's page has offers");
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
