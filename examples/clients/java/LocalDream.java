import java.io.EOFException;
import java.io.IOException;
import java.util.Base64;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import okhttp3.Call;
import okhttp3.Headers;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSource;
import org.json.JSONException;
import org.json.JSONObject;

/**
 * A client of the Local Dream API in one file, to copy: for Android and Java 17 and newer, with OkHttp and org.json
 * (which Android has).
 *
 * <pre>
 * LocalDream client = new LocalDream("http://127.0.0.1:8081");
 * Picture picture = client.generate(new JSONObject().put("prompt", "a red house"), (step, total) -> show(step, total));
 * </pre>
 *
 * To cancel, call {@link #cancel} from another thread: the connection is closed, and the server is free again. On
 * Android, java.util.Base64 needs API 26, or desugaring.
 */
public final class LocalDream {
  private static final int RETRIES = 3;
  private final OkHttpClient http;
  private final String url;
  private volatile Call running;

  public LocalDream(String url) {
    this.url = url;
    // The read time-out is the longest silence, not the length of a run.
    http = new OkHttpClient.Builder().readTimeout(120, TimeUnit.SECONDS).build();
  }

  /** The picture was not made; the message is for people. {@code status} is 0 where no answer was a refusal. */
  public static final class LocalDreamException extends IOException {
    public final int status;

    LocalDreamException(String message, int status, Throwable cause) {
      super(message, cause);
      this.status = status;
    }
  }

  /** {@code rgb} is width * height * 3 bytes, row by row. */
  public static final class Picture {
    public final byte[] rgb;
    public final int width;
    public final int height;
    public final long seed;

    Picture(byte[] rgb, int width, int height, long seed) {
      this.rgb = rgb;
      this.width = width;
      this.height = height;
      this.seed = seed;
    }
  }

  /** Makes a picture. {@code onProgress} gets step and total steps. A busy server is asked again. */
  public Picture generate(JSONObject request, BiConsumer<Integer, Integer> onProgress) throws LocalDreamException {
    RequestBody body = RequestBody.create(MediaType.parse("application/json"), request.toString());
    try (Response response = post(new Request.Builder().url(url + "/generate").post(body).build())) {
      return read(response.body().source(), onProgress);
    } catch (EOFException ended) {
      throw new LocalDreamException("the stream ended without a picture", 0, ended);
    } catch (IOException | JSONException | IllegalArgumentException error) {
      throw understood(error);
    }
  }

  /** A JPEG of four times the size. {@code upscaler} is the path of a model on the server. */
  public byte[] upscale(Picture picture, String upscaler) throws LocalDreamException {
    Headers headers = new Headers.Builder()
        .add("X-Image-Width", Integer.toString(picture.width))
        .add("X-Image-Height", Integer.toString(picture.height))
        .addUnsafeNonAscii("X-Upscaler-Path", upscaler) // sent as UTF-8
        .build();
    RequestBody body = RequestBody.create(MediaType.parse("application/octet-stream"), picture.rgb);
    try (Response response = post(new Request.Builder().url(url + "/upscale").headers(headers).post(body).build())) {
      return response.body().bytes();
    } catch (IOException error) {
      throw understood(error);
    }
  }

  /** Hangs up on the call that runs. */
  public void cancel() {
    Call call = running;
    if (call != null) {
      call.cancel();
    }
  }

  private Response post(Request request) throws IOException {
    for (int left = RETRIES; ; left--) {
      running = http.newCall(request);
      Response response = running.execute();
      if (response.code() == 200) {
        return response;
      }
      try (Response refusal = response) {
        if (response.code() != 503 || left == 0) {
          throw new LocalDreamException(message(refusal), refusal.code(), null);
        }
        pause(refusal.header("Retry-After", ""));
      }
    }
  }

  private static Picture read(BufferedSource source, BiConsumer<Integer, Integer> onProgress) throws IOException {
    String name = "";
    StringBuilder data = new StringBuilder();
    for (;;) {
      String line = source.readUtf8LineStrict();
      if (line.startsWith("event:")) {
        name = line.substring(6).trim();
      } else if (line.startsWith("data:")) {
        data.append(data.length() == 0 ? "" : "\n").append(line, line.startsWith("data: ") ? 6 : 5, line.length());
      } else if (line.isEmpty() && data.length() > 0) {
        JSONObject event = new JSONObject(data.toString());
        switch (name) {
          case "progress" -> onProgress.accept(event.getInt("step"), event.getInt("total_steps"));
          case "error" -> throw new LocalDreamException(event.getString("message"), 0, null);
          case "complete" -> {
            return picture(event);
          }
          default -> { } // a kind of a server's own
        }
        name = "";
        data.setLength(0);
      }
    }
  }

  private static Picture picture(JSONObject event) throws LocalDreamException {
    byte[] rgb = Base64.getDecoder().decode(event.getString("image"));
    int width = event.getInt("width");
    int height = event.getInt("height");
    if (rgb.length != width * height * 3) {
      throw new LocalDreamException("the picture has not the size that the server says", 0, null);
    }
    return new Picture(rgb, width, height, event.getLong("seed"));
  }

  private static String message(Response refusal) throws IOException {
    try {
      return new JSONObject(refusal.body().string()).getJSONObject("error").getString("message");
    } catch (JSONException notOurs) {
      return "status " + refusal.code();
    }
  }

  private static void pause(String asked) throws LocalDreamException {
    long seconds = asked.matches("\\d{1,9}") ? Math.min(30, Long.parseLong(asked)) : 1;
    try {
      TimeUnit.SECONDS.sleep(seconds);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      throw new LocalDreamException("interrupted", 0, stopped);
    }
  }

  private static LocalDreamException understood(Exception error) {
    if (error instanceof LocalDreamException ours) {
      return ours;
    }
    return new LocalDreamException("the server cannot be understood: " + error.getMessage(), 0, error);
  }
}
