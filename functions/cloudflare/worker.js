// What the entry point of every Worker does: serves a module of supabase/functions/_wasm, the same that Supabase runs.
import { waitUntil } from "cloudflare:workers";

// What goes on after the answer (functions/edge/src/background.rs), under the name that Supabase's runtime has for it.
globalThis.EdgeRuntime = { waitUntil };

/** As functions/edge/src/problem.rs writes it: a request too many from one address, where the Worker has the binding RATE_LIMIT. */
async function refused(request, { RATE_LIMIT }) {
  if (!RATE_LIMIT) return null;
  const { success } = await RATE_LIMIT.limit({ key: request.headers.get("cf-connecting-ip") ?? "unknown" });
  if (success) return null;
  const problem = {
    code: "rate_limited", detail: "Wait a minute.", status: 429, title: "Too many requests", type: "/errors/rate_limited",
  };
  return Response.json(problem, {
    status: 429,
    headers: { "content-type": "application/problem+json", "retry-after": "60", "cache-control": "no-store", "access-control-allow-origin": "*" },
  });
}

/** `slugs`: what its cron trigger calls, as the service role. */
export function worker({ initSync, handle }, module, slugs = []) {
  initSync({ module });

  const answer = async (request, env) => {
    const made = await handle(request, env);
    // After a panic: what the response is made of.
    return made instanceof Response ? made : new Response(made.body, made);
  };

  const call = async (slug, env) => {
    const headers = { authorization: `Bearer ${env.SUPABASE_SERVICE_ROLE_KEY}` };
    const response = await answer(new Request(`https://worker.invalid/${slug}`, { method: "POST", headers }), env);
    await response.text();
    if (!response.ok) throw new Error(`${slug}: ${response.status}`);
  };

  return {
    fetch: async (request, env) => (await refused(request, env)) ?? answer(request, env),

    /** Each slug once, one after another: they share the connections of one call. One that fails keeps no other from its turn. */
    async scheduled(_event, env) {
      const failed = [];
      for (const slug of slugs) await call(slug, env).catch((error) => failed.push(error.message));
      if (failed.length) throw new Error(failed.join(", "));
    },
  };
}
