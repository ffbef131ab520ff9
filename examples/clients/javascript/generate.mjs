// node generate.mjs URL PROMPT OUT.ppm [FIELD=JSON ...]

import { writeFileSync } from "node:fs";
import { generate, LocalDreamError } from "./local_dream.mjs";

const [url, prompt, out, ...fields] = process.argv.slice(2);
if (out === undefined) {
  console.error("node generate.mjs URL PROMPT OUT.ppm [FIELD=JSON ...]");
  process.exit(2);
}
const request = { prompt };
for (const field of fields) {
  const [name, ...value] = field.split("=");
  request[name] = JSON.parse(value.join("="));
}
try {
  const { rgb, width, height, seed } = await generate(url, request, {
    onProgress: ({ step, total_steps }) => console.error(`step ${step}/${total_steps}`),
  });
  writeFileSync(out, Buffer.concat([Buffer.from(`P6 ${width} ${height} 255\n`), rgb]));
  console.log(`${out}: ${width}x${height}, seed ${seed}`);
} catch (error) {
  if (!(error instanceof LocalDreamError)) throw error;
  console.error(`no picture: ${error.message}`);
  process.exitCode = 1;
}
