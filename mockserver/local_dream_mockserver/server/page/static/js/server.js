// A server of the API, by its address: this one, another one, or another one through this one's pass-through.

export const THROUGH = "through";
const OWN = new URL(".", location.href);

/** The server answered with an error status. */
export class Refused extends Error {
  constructor(status, headers, body, message) {
    super(message);
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

/** No answer, or none that this page may read. */
export class Unreachable extends Error {}

export class Server {
  /** `address` is a URL, "" for the server of this page, or THROUGH. Tokens are of this server, and of that behind it. */
  constructor(address = "", token = "", ownToken = "") {
    this.address = address;
    this.token = token;
    this.ownToken = ownToken;
  }

  /** Whether this page's own server is asked, without a pass-through. */
  get isOwn() {
    return this.address === "";
  }

  /** The address as people write it. */
  get base() {
    return this.isOwn || this.address === THROUGH ? OWN.href.replace(/\/$/, "") : this.address;
  }

  /** Whether it runs: true or false; null where this page may not know. */
  async health(signal) {
    try {
      return (await fetch(this.url("/health"), { headers: this._headers(), signal, cache: "no-store" })).ok;
    } catch {
      return null;
    }
  }

  /** The response to a request whose body is JSON text. Raises Unreachable, or what fetch raises when cancelled. */
  generate(body, signal) {
    return this._post("/generate", body, { "Content-Type": "application/json" }, signal);
  }

  /** The response to raw RGB; `headers` are those of the contract. */
  upscale(rgb, headers, signal) {
    return this._post("/upscale", rgb, { "Content-Type": "application/octet-stream", ...headers }, signal);
  }

  url(path) {
    if (this.address === THROUGH) return new URL(`page/pass-through?path=${encodeURIComponent(path)}`, OWN).href;
    return this.base + path;
  }

  async _post(path, body, headers, signal) {
    try {
      return await fetch(this.url(path), { method: "POST", body, headers: { ...headers, ...this._headers() }, signal, cache: "no-store" });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Unreachable(this.isOwn
        ? `${this.base} does not answer. Is it still running?`
        : `${this.base} cannot be used from this page: it does not answer, or does not let pages of other origins in (the extension cors). ` +
          "Start the server of this page with --page-target URL to reach it through that one.");
    }
  }

  _headers() {
    const bearer = (token) => `Bearer ${token}`;
    if (this.address !== THROUGH) return this.token ? { Authorization: bearer(this.token) } : {};
    return {
      ...(this.ownToken && { Authorization: bearer(this.ownToken) }),
      ...(this.token && { "X-Target-Authorization": bearer(this.token) }),
    };
  }
}
