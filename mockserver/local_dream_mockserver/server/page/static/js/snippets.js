// A request as commands that do the same: curl, and Python without any package.

const LONG = 400; // characters of a value beyond which it goes into a file
const TOKEN = "LOCAL_DREAM_TOKEN";

/** The fields with pictures taken out: what stands in a command. */
function split(values) {
  const entries = Object.entries(values);
  return {
    plain: Object.fromEntries(entries.filter(([, value]) => String(value).length <= LONG)),
    pictures: entries.filter(([, value]) => String(value).length > LONG).map(([name]) => name),
  };
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** A curl command for a shell. Long lines of the answer (pictures) are cut. */
export function curl(url, values, hasToken) {
  const { plain, pictures } = split(values);
  const lines = [`curl -sN ${quoted(url)}`, "-H 'Content-Type: application/json'"];
  if (hasToken) lines.push(`-H "Authorization: Bearer $${TOKEN}"`);
  lines.push(pictures.length ? "--data-binary @request.json" : `--data-binary ${quoted(JSON.stringify(plain))}`);
  return `${lines.join(" \\\n  ")} | cut -c 1-160\n`;
}

/** A Python program: shows the progress, and writes picture.ppm. */
export function python(url, values, hasToken) {
  const { plain, pictures } = split(values);
  const read = pictures.map((name) => `request[${JSON.stringify(name)}] = json.load(open("request.json"))[${JSON.stringify(name)}]\n`);
  const token = hasToken ? `, "Authorization": "Bearer " + os.environ["${TOKEN}"]` : "";
  return `import base64
import json
${hasToken ? "import os\n" : ""}import urllib.request

request = ${literal(plain)}
${read.join("")}call = urllib.request.Request(
    ${JSON.stringify(url)},
    data=json.dumps(request).encode(),
    headers={"Content-Type": "application/json"${token}},
)
with urllib.request.urlopen(call) as answer:
    for line in answer:
        if not line.startswith(b"data: {"):
            continue
        event = json.loads(line[6:])
        if event["type"] == "progress":
            print(f"step {event['step']} of {event['total_steps']}")
        elif event["type"] == "error":
            raise SystemExit(event["message"])
        elif event["type"] == "complete":
            picture = base64.b64decode(event["image"])
            if event.get("format", "raw") == "raw":
                picture = b"P6 %d %d 255\\n" % (event["width"], event["height"]) + picture
            name = {"png": "picture.png", "jpeg": "picture.jpg"}.get(event.get("format"), "picture.ppm")
            with open(name, "wb") as file:
                file.write(picture)
            print(f"{name}, seed {event['seed']}")
`;
}

/** Whether the commands need the request as a file. */
export function needsFile(values) {
  return split(values).pictures.length > 0;
}

/** A flat object as a Python literal. JSON's strings are Python's. */
function literal(values) {
  const spelt = (value) => (value === true ? "True" : value === false ? "False" : value === null ? "None" : JSON.stringify(value));
  return `{\n${Object.entries(values).map(([name, value]) => `    ${JSON.stringify(name)}: ${spelt(value)},\n`).join("")}}`;
}
