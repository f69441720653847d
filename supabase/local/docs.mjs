// GET /docs: the OpenAPI documents of the functions for people, by Swagger UI. Nothing comes from elsewhere.
import { readFile } from "node:fs/promises";

const NAMES = ["crm", "portal", "hooks", "jobs"];
const ASSETS = {
  "swagger-ui.css": "text/css",
  "swagger-ui-bundle.js": "text/javascript",
  "swagger-ui-standalone-preset.js": "text/javascript",
};

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>fieldcrm: HTTP API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/swagger-ui-standalone-preset.js"></script>
<script>
  SwaggerUIBundle({
    urls: ${JSON.stringify(NAMES.map((name) => ({ name, url: `/docs/${name}.json` })))},
    dom_id: "#ui", layout: "StandaloneLayout", presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    docExpansion: "list", validatorUrl: null,
  });
</script>
</html>
`;

/** The answer to `/docs` and what it loads; null for other paths. */
export async function answerDocs(pathname) {
  if (pathname === "/docs" || pathname === "/docs/") {
    return new Response(PAGE, { headers: { "content-type": "text/html; charset=utf-8" } });
  }
  const file = /^\/docs\/([\w.-]+)$/.exec(pathname)?.[1];
  if (!file) return null;
  const name = file.replace(/\.json$/, "");
  if (file.endsWith(".json") && NAMES.includes(name)) {
    const document = await readFile(new URL(`../../functions/${name}/openapi.json`, import.meta.url));
    return new Response(document, { headers: { "content-type": "application/json" } });
  }
  if (!Object.hasOwn(ASSETS, file)) return null;
  const asset = await readFile(new URL(import.meta.resolve(`swagger-ui-dist/${file}`)));
  return new Response(asset, { headers: { "content-type": ASSETS[file] } });
}
