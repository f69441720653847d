// The main module of every function process (Deno): ends with the gateway, then
// loads the function. Stdin is a pipe from the gateway, which closes however
// that ends, kill -9 included. Not a --preload: Deno would wait for the read.
async function endWithTheGateway() {
  const input = Deno.stdin.readable.getReader();
  while (!(await input.read()).done);
  Deno.exit(0);
}

endWithTheGateway();
await import(Deno.args[0]);
