"""All scenarios, in the order in which they run. PROBES maps a name to its Scenario.

Shared values: prompts A and B, seed S, image and mask are in `scenarios.payload`; s is the smallest size (`--size` or
128x64), n the smallest step count (`--steps` or 4). Checks read such values from the recorded request, never from here.
[g, u] is the planned cost in generations and upscales: core 8 and 5, with the hardened scenarios 13 and 5, with the
extensions 16 and 6 (and one generation for each scheduler that is declared).

A scenario that wants a generation with something unusual in it (nulls, a chunked body, unknown fields) sends that first
and, where it is refused, plainer requests after it. A refusal is free; it is kept under the label of its oddity (such
labels are there only where the server refused), and the scenario's main label always names the exchange that was
accepted (or the last one refused).

core
| scenario | label | what |
|---|---|---|
| health [0,0] | health/get | GET /health |
| | health/anonymous | GET /health without the headers that the settings add |
| | health/head | HEAD /health |
| | health/unknown-path | GET of a path that no server has |
| | health/unknown-path-post | POST of JSON to such a path |
| | health/wrong-method-generate, -upscale, -health | GET /generate, GET /upscale, DELETE /health |
| keep-alive [0,0] | keep-alive/refused | POST /generate without a prompt |
| | keep-alive/health | GET /health on the same connection; note reused-connection true or false |
| | keep-alive/not-found | GET of a path that no server has, same connection |
| | keep-alive/last | GET /health, same connection |
| base [1,0] | base | prompt A, seed S, n, s, previews on, stride absent: the plain run that others are compared with |
| refuse [0,0] | refuse/prompt-missing, prompt-empty | prompt-empty may be answered by an error event |
| | refuse/body-empty, body-not-utf8 | |
| | refuse/json-malformed, -trailing, -nan, -array, -string, -number, -null | |
| | refuse/type/FIELD-KIND | one field of a wrong type; KIND: number, string, boolean, array, object, fraction, null |
| | refuse/health | GET /health after all of them |
| refuse-image [0,0] | refuse-image/image-not-base64, image-not-an-image, mask-not-base64, mask-not-an-image | |
| | refuse-image/type/image-KIND, type/mask-KIND | number, boolean, array, object |
| | refuse-image/health | GET /health after all of them |
| range [0,0] | range/FIELD-KIND | one field out of its range as the contract has it; KIND, for integers: |
| | | zero and negative (below a least of 1 or more), minus-one and minus-two (below 0), too-large, odd (no |
| | | multiple of 8); for other numbers below and above, by 0.1; for names unknown |
| | range/stride-zero, stride-negative | show_diffusion_stride 0, -1 with previews on |
| | range/mask-without-image | only where the target takes images |
| | range/steps-huge, width-huge | only with --destructive |
| | range/health | GET /health after all of them. Of those accepted, two run to their end; the others are hung |
| | | up on at their first progress event; in the core profile it stops after the third accepted one |
| defaults [2,0] | defaults/absent | prompt A, seed S, image (if img2img), size (only with --size); all else absent |
| | defaults/explicit | the same with every default explicit |
| | defaults/bisect-K | only where those differ: some fields explicit (note explicit: their names), at most 3 |
| strength [1,0] | strength/low | defaults/explicit with denoise_strength 0.1 and the card as a JPEG of other size, |
| | | aspect |
| | strength/jpeg-unfit, png-unfit, jpeg | refusals of it: JPEG of another size, PNG of another size, JPEG |
| hang-up [2,0] | hang-up/abandoned | prompt A, seed S, s, many steps, image null, mask null; hung up in mid-stream |
| | hang-up/null-image-mask, null-mask, null-image | refusals of it: with these fields null |
| | hang-up/health-meanwhile | GET /health while it streams |
| | hang-up/refused-meanwhile | POST /generate without a prompt while it streams |
| | hang-up/next | at once after hanging up: seed absent, euler_a, image, mask, strength 0.9 (without img2img: |
| | | no image, mask, strength), sent with Expect: 100-continue |
| | hang-up/next-busy, next-expect | refusals of it: the first by 409/429/503; with Expect |
| | hang-up/health | GET /health at the end |
| overlap [2,0] | overlap/first | base with prompt B and stride 2, chunked request body |
| | overlap/first-chunked | refusal of it: with the chunked body |
| | overlap/second | begun while first streams: base without seed and previews, with stride 0 and unknown fields |
| | overlap/second-busy | refusal of it by 409/429/503 while first streamed: second is then the retry afterwards |
| | overlap/second-oddities, second-unknown-fields, second-stride-zero | refusals of it: with both, with one |
| | overlap/health | GET /health at the end |
| upscale [0,5] | upscale/odd, tall, square, wide, small | cards of 17x13, 13x40, 48x48, 208x24, 8x8 with X-Use-OpenCL |
| | | true, 1, false, 0, absent |
| | upscale/odd-flagged, tall-flagged, square-flagged, wide-flagged | refusals of it: with X-Use-OpenCL |
| upscale-refuse [0,0] | upscale-refuse/width-missing, height-missing, path-missing | also without --upscaler-path |
| | upscale-refuse/width-not-a-number, height-not-a-number | (then with a made-up path) |
| | upscale-refuse/body-short, body-long, body-empty, path-unknown | |
| | upscale-refuse/health | GET /health after all of them |

hardened
| scenario | label | what |
|---|---|---|
| nulls [1,0] | nulls | base without previews and with null for every other optional field, image and mask too |
| repeat [1,0] | repeat | base again, byte for byte |
| edges [2,0] | edges/seed-zero, edges/seed-max | seeds 0 and 4294967295, one step |
| hostile [0,0] | hostile/request-line, header-name, length-negative, length-conflict | bytes that are not HTTP |
| | hostile/length-and-chunked, chunk-size | |
| | hostile/head-cut, body-cut | the client closes in the middle of its request: no answer is awaited |
| | hostile/json-deep | JSON nested 10000 deep in an unknown field |
| | hostile/health | GET /health after all of them |
| huge-prompt [1,0] | huge-prompt | a prompt of a megabyte, one step |
| | huge-prompt/health | GET /health afterwards |
| upscale-range [0,0] | upscale-range/width-zero, height-zero | with an empty body |
| | upscale-range/width-suffix, height-suffix, width-fraction, width-exponent | 12abc, 8abc, 12.5, 1e1 |
| | upscale-range/width-overflow, height-overflow, size-overflow | 2^32 + 12, 2^64 + 8, 65536x65536 with no body |
| | upscale-range/path-empty, path-traversal, path-absolute | ../.../etc/passwd, /etc/hosts |
| | upscale-range/both-negative, width-negative | only with --destructive |
| | upscale-range/health | GET /health after all of them |
| generated [0,0] | generated/generate/000, 001, ... | generated bodies with fields of a wrong type |
| | generated/upscale/000, 001, ... | generated sizes that are no integers or do not fit the body |
| | generated/generate/shrunk, generated/upscale/shrunk | only where one was not refused: the smallest such |
| | generated/health | GET /health after all of them |

extensions (profile all, or declared; the refusals only where the answer before them shows the extension)
| scenario | label | what |
|---|---|---|
| cors [0,0] | cors/preflight-generate, preflight-upscale | OPTIONS as a browser sends it, without credentials |
| | cors/health, not-found | GET /health, and GET of a path that no server has, with Origin |
| | cors/refused-generate, refused-upscale | POST without a prompt, POST without a width, with Origin |
| cors-upscale [0,1] | cors-upscale/page | card of 8x8, with Origin |
| tokenize [0,0] | tokenize/short, empty, longer, beyond | prompt A, "", prompt A three times, 1200 words |
| | tokenize/cut, cut-later | only with overflow_offset: beyond up to there, and up to a word later |
| | tokenize/prompt-number, json-malformed, prompt-missing | |
| formats [1,0] | formats/png | base with output_format png, preview_format jpeg, Origin |
| | formats/output-unknown, preview-unknown | the format bmp |
| size [1,0] | size/square | base with size 192, output_format jpeg |
| | size/string, odd, zero | "192", 193, 0 |
| aspect-ratio [1,0] | aspect-ratio/portrait | base with aspect_ratio 2:3, preview_format png |
| | aspect-ratio/landscape | base with aspect_ratio 3:2, output_format and preview_format raw |
| | aspect-ratio/no-ratio, zero | wide, 0:1 |
| schedulers [0,0] | schedulers/NAME | base without previews, with each declared scheduler: a generation each |

Not available: refuse-image and strength with --no-img2img; upscale and cors-upscale without --upscaler-path; size with
--size; schedulers where none is declared. A series (refuse, range, ...) ends early where three of its requests got no
answer at all.
"""

from __future__ import annotations

from local_dream_conformance.scenarios import (
    concurrency,
    extensions,
    generated,
    generations,
    health,
    hostile,
    refusals,
    upscales,
)
from local_dream_conformance.scenarios.scenario import Scenario

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        *health.SCENARIOS,
        generations.BASE,
        *refusals.SCENARIOS,
        *generations.CORE,
        *concurrency.SCENARIOS,
        *upscales.CORE,
        *generations.HARDENED,
        *hostile.SCENARIOS,
        *upscales.HARDENED,
        *generated.SCENARIOS,
        *extensions.SCENARIOS,
    )
}
