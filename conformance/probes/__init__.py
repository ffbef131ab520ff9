"""All probes, in the order in which they run. PROBES maps a name to its Probe.

Shared values: prompts A and B, seed S, image and mask are in `probes.payload`; s is the smallest size (`--size` or
128x64), n the smallest step count (`--steps` or 4). Checks read such values from the recorded request, never from here.
[g, u] is the planned cost in generations and upscales: core 8 and 5, with the hardened probes 13 and 7.

A probe that wants a generation with something unusual in it (nulls, a chunked body, unknown fields) sends that first
and, where it is refused, sends the plain request next: the refusal is free and is kept under the label of its oddity,
and the probe's main label always names the exchange that was accepted (or the last one refused).

core
| probe | label | what |
|---|---|---|
| health [0,0] | health/get | GET /health |
| | health/head | HEAD /health |
| | health/unknown-path | GET of a random path |
| | health/unknown-path-post | POST of JSON to a random path |
| | health/wrong-method-generate | GET /generate |
| | health/wrong-method-upscale | GET /upscale |
| | health/wrong-method-health | DELETE /health |
| base [1,0] | base | prompt A, seed S, n, s, previews on, stride absent: the plain run that others are compared with |
| refuse [0,0] | refuse/prompt-missing, -empty | /generate bodies to be refused; prompt-empty may be an error event |
| | refuse/body-empty, body-not-utf8, json-malformed, json-trailing, json-array, json-string, json-number, json-null | |
| | refuse/type/<field>-<kind> | kind: number, string, boolean, array, object, null (prompt only); one field wrong each |
| | refuse/health | GET /health after all of them |
| refuse-image [0,0] | refuse-image/image-not-base64, image-not-an-image, image-url-safe, mask-not-base64, mask-not-an-image | |
| | refuse-image/type/<field>-<kind> | image and mask of a wrong JSON type (mask cases bring a valid image) |
| | refuse-image/health | GET /health after all of them |
| keep-alive [0,0] | keep-alive/refused | POST /generate with a missing prompt |
| | keep-alive/health | GET /health on the same connection; note reused-connection true or false |
| | keep-alive/not-found | GET of a random path, same connection |
| | keep-alive/last | GET /health, same connection |
| range [0,0] | range/<field>-<case> | steps-zero, steps-negative, width-zero, width-negative, width-odd (65), height-..., |
| | | denoise_strength-below, -above, seed-negative, -too-large, -fraction, steps-fraction, stride-zero, stride-negative |
| | | (previews on), scheduler-unknown, cfg-nan, mask-without-image; destructive: steps-huge, width-huge. |
| | | One that is accepted is hung up on at its first progress event; core stops after 3 accepted ones |
| | range/health | GET /health after all of them |
| defaults [2,0] | defaults/absent | prompt A, seed S, image where img2img (size only with --size): all else absent |
| | defaults/explicit | the same with every default explicit |
| | defaults/bisect-<k> | only where those two differ: some fields explicit (note explicit = their names), at most 3 |
| strength [1,0] | strength/low | as defaults/explicit (compare with it) but denoise_strength 0.1 and seed absent |
| hang-up [2,0] | hang-up/abandoned | prompt A, seed S, image null, mask null, many steps; hung up in mid-stream |
| | hang-up/null-image-mask, null-mask, null-image | only where refused: the same with these fields null |
| | hang-up/health-meanwhile | GET /health while it streams |
| | hang-up/refused-meanwhile | POST /generate with a missing prompt while it streams |
| | hang-up/next | at once after hanging up: inpainting (image, mask, strength 0.9, euler_a, seed absent), sent with |
| | | Expect: 100-continue; without img2img the same without image and mask |
| | hang-up/next-expect, next-busy | only where that was refused (417, or 409/429/503): the first such answer |
| | hang-up/health | GET /health at the end |
| overlap [2,0] | overlap/first | base with prompt B, previews, stride 2 (differs from base in the prompt), chunked request body |
| | overlap/first-chunked | only where the chunked one was refused: that answer |
| | overlap/second | begun while first streams: base without previews (stride 0), seed absent, unknown fields |
| | overlap/second-busy | only where refused by 409/429/503 while first streamed: that answer; second is then the retry |
| | overlap/second-unknown-fields, second-stride-zero | only where the server refused the request with them |
| | overlap/health | GET /health at the end |
| upscale [0,5] | upscale/odd, tall, square, wide, small | 17x13, 13x40, 48x48, 208x24, 8x8 test cards; |
| | | X-Use-OpenCL true, 1, false, 0, absent |
| upscale-refuse [0,0] | upscale-refuse/width-missing, height-missing, path-missing, width-not-a-number, height-not-a-number, | |
| | body-short, body-long, body-empty, path-unknown | run without --upscaler-path too (with a made-up path) |
| | upscale-refuse/health | GET /health after all of them |

hardened
| probe | label | what |
|---|---|---|
| nulls [1,0] | nulls | base with null for every other optional field |
| repeat [1,0] | repeat | base again, byte for byte |
| edges [2,0] | edges/seed-zero, edges/seed-max | base with these seeds, no previews, 1 step |
| fit [1,0] | fit | image of another size and aspect than width and height, strength 0.1 |
| hostile [0,0] | hostile/<case> | raw HTTP: request-line, header-name, length-negative, length-conflict, length-and-chunked, |
| | | chunk-size, body-cut (closes in mid-body), head-cut |
| | hostile/health | GET /health after all of them |
| upscale-range [0,0] | upscale-range/width-zero, height-zero, width-suffix (12abc), width-fraction, width-exponent, width-overflow, | |
| | size-overflow, path-empty, path-traversal, path-absolute; destructive: both-negative, width-negative | |
| | upscale-range/health | GET /health after all of them |
| upscale-more [0,2] | upscale-more/one-pixel, upscale-more/chunked | 1x1; a chunked request body |

Not available: refuse-image, strength, fit with --no-img2img; upscale, upscale-more without --upscaler-path.
"""

from __future__ import annotations

from conformance.probe import Probe

PROBES: dict[str, Probe] = {}
