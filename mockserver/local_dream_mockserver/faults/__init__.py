"""Faults and quirks: what the mock server and the proxy do wrong, or oddly, on purpose.

A fault is a function in `entries/`, with a decorator from `effects/`:

    @wire.answer("GEN-EVT-14", "UPS-ANS-02", then="close")
    def length_too_long(head: Head, body: bytes) -> bytes:
        \"\"\"Content-Length says more than the body has, and the connection is closed.\"\"\"
        return head.length(len(body) + 1000) + body

Its name is the function's (`length-too-long`), its sentence the first paragraph of the docstring, the requirements that
it breaks stand in the decorator. `quirk=True` makes it a quirk: odd but legal; its ids are the SHOULDs against it. The
functions may leave out arguments that they do not need. A hit is counted where what goes out is not what came in.

    wire.answer     (head, body) -> bytes, or packets   a whole answer
    wire.chunks     (data) -> bytes                     the chunk after the place `at`, or every chunk; `last`, `then`
    wire.cut        async (out)                         at the place, and no further: await out.reset()
    wire.head       (head) -> head                      head.without(b"content-type")
    wire.event      (event) -> bytes, or packets        each event of a stream: event.replace(b"\\n", b"\\r\\n")
    wire.stream     async (events) -> events            an async generator over the events
    wire.splice     (rest) -> bytes                     after the place: rest[4:]; with `ends` nothing follows
    wire.body       (body) -> bytes                     body[:-10]
    wire.sent       async (out, answer)                 sleep, then await wire.honest(answer, out); or out.gone() alone
    events.event    (message, request) -> message       or None, or a list: message.without("seed")
    events.progress (message, step, total) -> message   the same, of progress events: message.with_(step=step - 1)
    events.beside   (message, request) -> message       one more event, before or after the place; with `ends` the last
    events.stream   async (messages, request)           an async generator over the events
    events.piece    (piece) -> bytes                    the bytes of an event: b"event: message\\n" + piece
    events.pieces   async (pieces, request)             an async generator over their bytes; `always`
    pictures.picture (rgb, request) -> rgb              rgb[::-1]
    pictures.coded  (message, rgb, request) -> message  message.with_(image=file_of(rgb, "png"))
    pictures.text   (text) -> text                      the base64 of the picture at the place: text[:-3]
    pictures.previewed (step, request) -> bool          whether a step shows a preview: step == 1
    pictures.asked  (request) -> request                what the engine is told: replace(request, seed=1)
    pictures.works  (hooks, engine, request, cancelled) a generator over the engine's steps and its picture
    requests.taken  (body, problem) -> bytes            a refusal of `codes` and `fields` is taken for this body
    requests.mended (value, field) -> value             the value that the field to blame is taken for: max(1, value)
    requests.refusal (problem) -> APIError              with_status(422)(problem)
    requests.refused (values, request) -> text          why to refuse, or ""; `status`, `after` an earlier refusal
    requests.values (values) -> values                  another JSON object: {**values, "steps": 4}
    requests.accepted (request, values) -> request      what was read: replace(request, use_opencl=True)
    requests.received (incoming) -> incoming            path, headers and body: replace(incoming, body=b"")
    responses.instead (scope) -> Reply                  in place of the application's answer, or None
    responses.rewrite (reply, problem) -> Reply         reply.without(b"allow"), for `on`, `methods`, `statuses`
    responses.document (value, asked) -> value          another JSON document: {**value, "count": 0}
    responses.headers (status, headers)                 the same pair otherwise, for streams or `everywhere`
    responses.controls (remote, values)                 changes what runs, after a POST to the control API
    responses.after (exchange, client) -> Reply         in place of the answer after an exchange, `when` it was so
    overlap.second  (request) -> APIError               how a generation is refused while another one runs
    overlap.health  async (running) -> Reply            what /health is answered meanwhile, or None
    overlap.overtaken async (messages, request, latest) an async generator over the events; `latest()` came last
    upscale.enlarged (answer, request) -> answer        replace(answer, jpeg=b"")
    upscale.file    (rgb) -> bytes                      saved(rgb, "JPEG", quality=60)
    upscale.pixels  (rgb) -> rgb                        rgb[::-1]
    upscale.received, refusal, refused, headers         as requests.received, responses.rewrite, instead, headers

Faults of one expression stand in tables, each with a line of name, ids and sentence, and a line that says how:

    several(wire.answer, "GEN-EVT-14", then="close")(
        "length-too-long (UPS-ANS-02): Content-Length says more than the body has, and the connection is closed.",
        lambda head, body: head.length(len(body) + 1000) + body,
    )
    several(wire.splice)(
        "nul-inserted@inside:complete (GEN-SSE-08): A NUL byte is inserted into a picture's base64.",
        lambda rest: b"\\x00" + rest,
    )

The ids and options in the first pair of brackets are those of all faults of the table; one with options of its own is
written `where(lambda ..., then="close")`. Behind the `@` stands the place (`at`), and a quirk has that word before its
ids.

`state=Seen` makes an object for each server, which the function gets first. `layer` says where it belongs, where the
decorator cannot know; `extensions`, which it is about, where its ids do not say so. What needs several hooks at once is
a function that makes them with `hooks.hooked`, decorated by `whole`. Then try it: `python -m tests.matrix --only
length-too-long`. Side effects on other requirements, a slower pace, and options of the suite stand in
`tests/matrix/expectations.toml`.
"""
