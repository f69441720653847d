// Holds what the functions answer to their OpenAPI documents.
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { readFileSync } from "node:fs";

/** The deployables, each of which has functions/<name>/openapi.json. */
export const names = ["crm", "portal", "hooks", "jobs"];

export const read = (name) => readFileSync(new URL(`../functions/${name}/openapi.json`, import.meta.url), "utf8");

const ajv = new Ajv({ strict: false, validateSchema: false, allErrors: true });
addFormats(ajv);
// What schemars has for numbers, which ajv knows as integers already.
for (const format of ["uint64", "uint32", "uint8"]) ajv.addFormat(format, true);

const documents = names.map((name) => {
  const document = JSON.parse(read(name));
  ajv.addSchema(document, name);
  const paths = Object.keys(document.paths)
    .map((path) => ({ path, pattern: new RegExp(`^${path.replaceAll(".", "\\.").replace(/\{\w+\}/g, "[^/]+")}$`) }))
    // A path as it stands comes before one with parameters.
    .sort((one, other) => one.path.includes("{") - other.path.includes("{"));
  return { name, document, paths };
});

const pointer = (...parts) => parts.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
// As part of a URI.
const encode = (part) => encodeURIComponent(part).replaceAll("%2F", "/");

/** Throws if this is no answer that the documents have. `path` begins with the slug. */
export function check(method, path, { status, headers, body }) {
  const [target] = path.split("?");
  const slug = `/${target.split("/")[1]}`;
  const found = documents.find(({ paths }) => paths.some((one) => one.path === slug || one.path.startsWith(`${slug}/`)));
  if (!found || method === "OPTIONS") return;
  const wrong = (what) => {
    throw new Error(`${method} ${path} answered ${status}, but ${what}: ${JSON.stringify(body)?.slice(0, 1000)}`);
  };
  const { name, document, paths } = found;
  const known = paths.find(({ pattern }) => pattern.test(target));
  const operation = document.paths[known?.path]?.[method.toLowerCase()];
  if (!operation) {
    const refusals = [401, known ? 405 : 404, 414, 431];
    if (!refusals.includes(status)) wrong("the document has no such operation");
    return;
  }
  let at = pointer("paths", known.path, method.toLowerCase(), "responses", status);
  let response = operation.responses[status];
  if (!response) wrong("the document has no such status");
  if (response.$ref) {
    at = response.$ref.slice(1);
    response = document.components.responses[at.split("/").at(-1)];
  }
  if (!response.content) {
    if (body !== "") wrong("the document has no body");
    return;
  }
  const type = headers.get("content-type")?.split(";")[0].trim();
  if (!response.content[type]) wrong(`the document has no ${type}`);
  const schema = `${name}#${encode(`${at}${pointer("content", type, "schema")}`)}`;
  const validate = ajv.getSchema(schema);
  if (!validate) throw new Error(`no schema at ${schema}`);
  if (!validate(body)) wrong(`the document says: ${ajv.errorsText(validate.errors, { separator: "; " })}`);
}
