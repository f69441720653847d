// What somebody would write by hand for the same three routes: a signed-in caller, a checked body, one call of the database.
// Plain TypeScript for Deno, with the caller's own token, as Supabase's examples do.
const env = Deno.env.toObject();

const ARGUMENTS = new Set([
  "type", "name", "first_name", "last_name", "company_name", "email", "phone", "status", "lifecycle_stage", "pipeline_stage", "source",
  "preferred_language", "notes", "external_ref", "owner_id", "product_id", "contacts", "locations", "tags", "preferences",
]);
const COLUMNS = "id,type,name,first_name,last_name,company_name,email,phone,status,lifecycle_stage,pipeline_stage,source,owner_id,product_id,is_archived,created_at,updated_at";
const FILTERS = new Set(["status", "lifecycle_stage", "pipeline_stage", "owner_id", "product_id"]);
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const CORS = {
  "access-control-allow-origin": "*", "access-control-allow-headers": "authorization, apikey, content-type, idempotency-key, x-client-info",
};

class Problem extends Error {
  constructor(readonly status: number, readonly code: string, detail: string) {
    super(detail);
  }
}

async function ask(token: string, path: string, id: string, body?: object) {
  const answer = await fetch(`${env.SUPABASE_URL}/rest/v1/${path}`, {
    method: body ? "POST" : "GET",
    headers: { apikey: env.SUPABASE_ANON_KEY, authorization: token, "content-type": "application/json", "x-request-id": id },
    body: body && JSON.stringify(body),
  });
  const found = await answer.json();
  if (!answer.ok) throw new Problem(answer.status, found.code ?? "internal", found.message ?? "The service is not available.");
  return found;
}

async function route(request: Request, url: URL, token: string, id: string): Promise<[number, unknown, Record<string, string>?]> {
  const [, , table, customer, more] = url.pathname.split("/");
  if (table !== "customers" || more) throw new Problem(404, "not_found", "There is no such path.");
  if (request.method === "POST" && !customer) {
    let body;
    try {
      body = await request.json();
    } catch {
      throw new Problem(400, "invalid_json", "The body is not JSON.");
    }
    if (typeof body !== "object" || !body || Array.isArray(body)) throw new Problem(400, "invalid_json", "The body must be an object.");
    for (const key of Object.keys(body)) if (!ARGUMENTS.has(key)) throw new Problem(422, "unknown_field", `${key} is no field of a customer.`);
    const key = request.headers.get("idempotency-key");
    const made = await ask(token, "rpc/crm_create_customer", id, { source: "api", ...body, ...(key && { idempotency_key: key }) });
    return [201, made, { location: `/crm/customers/${made.id}` }];
  }
  if (request.method === "GET" && customer) {
    if (!UUID.test(customer)) throw new Problem(400, "invalid_uuid", "The id is no UUID.");
    return [200, await ask(token, "rpc/crm_get_customer", id, { id: customer })];
  }
  if (request.method === "GET") {
    const query = new URLSearchParams({ select: COLUMNS, order: "created_at.desc,id.desc", is_archived: "eq.false" });
    let [limit, offset] = [50, 0];
    for (const [key, value] of url.searchParams) {
      if (key === "limit") limit = Number(value);
      else if (key === "offset") offset = Number(value);
      else if (FILTERS.has(key)) query.set(key, `eq.${value}`);
      else throw new Problem(422, "unknown_field", `${key} is no filter.`);
    }
    if (!Number.isInteger(limit) || limit < 1 || limit > 100 || !Number.isInteger(offset) || offset < 0) throw new Problem(422, "out_of_range", "limit is 1 to 100.");
    query.set("limit", `${limit}`);
    query.set("offset", `${offset}`);
    const data = await ask(token, `customers?${query}`, id);
    return [200, { data, limit, offset, total: null, next_cursor: null }];
  }
  throw new Problem(405, "method_not_allowed", "The path has other methods.");
}

Deno.serve(async (request) => {
  const started = performance.now();
  const url = new URL(request.url);
  const id = request.headers.get("x-request-id") ?? crypto.randomUUID();
  let answer: Response;
  try {
    const token = request.headers.get("authorization");
    if (!token?.startsWith("Bearer ")) throw new Problem(401, "unauthenticated", "Sign in.");
    const [status, body, headers] = await route(request, url, token, id);
    answer = Response.json(body, { status, headers: { ...CORS, ...headers, "x-request-id": id, "cache-control": "no-store" } });
  } catch (error) {
    const { status = 500, code = "internal", message } = error as Problem;
    answer = Response.json({ type: `/errors/${code}`, title: code, status, detail: message, code }, {
      status, headers: { ...CORS, "content-type": "application/problem+json", "x-request-id": id },
    });
  }
  const line = { ts: new Date().toISOString(), level: "info", event: "request", slug: "crm", request_id: id, method: request.method, path: url.pathname };
  console.log(JSON.stringify({ ...line, status: answer.status, ms: Math.round(performance.now() - started) }));
  return answer;
});
