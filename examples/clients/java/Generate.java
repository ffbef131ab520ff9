import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.json.JSONObject;
import org.json.JSONTokener;

/** java Generate URL PROMPT OUT.ppm [FIELD=JSON ...] */
public final class Generate {
  public static void main(String[] arguments) throws Exception {
    if (arguments.length < 3) {
      System.err.println("java Generate URL PROMPT OUT.ppm [FIELD=JSON ...]");
      System.exit(2);
    }
    JSONObject request = new JSONObject().put("prompt", arguments[1]);
    for (int place = 3; place < arguments.length; place++) {
      String[] field = arguments[place].split("=", 2);
      request.put(field[0], new JSONTokener(field[1]).nextValue());
    }
    try {
      LocalDream.Picture picture = new LocalDream(arguments[0])
          .generate(request, (step, total) -> System.err.println("step " + step + "/" + total));
      try (OutputStream out = Files.newOutputStream(Path.of(arguments[2]))) {
        String head = "P6 " + picture.width + " " + picture.height + " 255\n";
        out.write(head.getBytes(StandardCharsets.US_ASCII));
        out.write(picture.rgb);
      }
      System.out.printf("%s: %dx%d, seed %d%n", arguments[2], picture.width, picture.height, picture.seed);
    } catch (LocalDream.LocalDreamException error) {
      System.err.println("no picture: " + error.getMessage());
      System.exit(1);
    }
    System.exit(0); // OkHttp's threads live on for a minute
  }
}
