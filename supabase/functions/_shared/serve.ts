// What the entry point of every function does: loads a module of ../_wasm and serves it under a slug.

/** The generated half of a module, from ../_wasm/<name>.js. */
interface Module {
  initSync(source: { module: BufferSource }): unknown;
  /** After a panic: what the response is made of. */
  handle(request: Request, env: Record<string, string>): Promise<Response | ResponseInit & { body: string }>;
}

export async function serve(slug: string, name: string, { initSync, handle }: Module) {
  initSync({ module: await Deno.readFile(new URL(`../_wasm/${name}_bg.wasm`, import.meta.url)) });
  const env = Deno.env.toObject();

  // After a Rust panic its requests have been answered and the next one gets a fresh instance
  // (functions/edge/src/host/web.rs). What still surfaces here, the trap itself and promises of
  // the old instance, must not end the process and the other requests with it.
  for (const kind of ["error", "unhandledrejection"]) {
    addEventListener(kind, (event) => {
      event.preventDefault();
      const { error, reason } = event as ErrorEvent & PromiseRejectionEvent;
      const { name, message } = error ?? reason ?? {};
      const ts = new Date().toISOString();
      console.error(JSON.stringify({ ts, level: "error", event: kind, slug, name, message }));
    });
  }

  Deno.serve(async (request) => {
    const answer = await handle(request, env);
    return answer instanceof Response ? answer : new Response(answer.body, answer);
  });
}
