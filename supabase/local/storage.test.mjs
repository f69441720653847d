// Storage through supabase-js: what lite's own answers get wrong.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { client, publishableKey, secretKey } from "./stack.testing.mjs";

const BUCKET = "gateway_test_files";
const { storage } = client(secretKey);
const files = storage.from(BUCKET);

async function remove() {
  await storage.emptyBucket(BUCKET);
  await storage.deleteBucket(BUCKET);
}

async function given(promise) {
  const { data, error } = await promise;
  assert.ifError(error);
  return data;
}

before(async () => {
  await remove();
  await given(storage.createBucket(BUCKET, { public: false, fileSizeLimit: 1000 }));
  for (const key of ["a_1/one.txt", "a_1/b/two.txt", "aX1/other.txt", "a_1/zero.txt", "top.txt", "sp ace/n 1.txt"])
    await given(files.upload(key, `content of ${key}`, { contentType: "text/plain" }));
});
after(remove);

test("a file comes back as it went in", async () => {
  const blob = await given(files.download("top.txt"));
  assert.equal(await blob.text(), "content of top.txt");
  assert.match(blob.type, /^text\/plain/);
});

test("a folder lists one level, by names relative to it", async () => {
  const names = async (...options) => (await given(files.list(...options))).map(({ name, id }) => (id ? name : `${name}/`));
  assert.deepEqual(await names(""), ["aX1/", "a_1/", "sp ace/", "top.txt"]);
  assert.deepEqual(await names("a_1"), ["b/", "one.txt", "zero.txt"]);
  assert.deepEqual(await names("sp ace"), ["n 1.txt"]);
  assert.deepEqual(await names("a_1", { limit: 1, offset: 1 }), ["one.txt"]);
  assert.deepEqual(await names("a_1", { sortBy: { column: "name", order: "desc" } }), ["b/", "zero.txt", "one.txt"]);
  assert.deepEqual(await names("a_1", { search: "z" }), ["zero.txt"]);
});

test("signed URLs work, one and many", async () => {
  const { signedUrl } = await given(files.createSignedUrl("a_1/one.txt", 60));
  assert.equal(await (await fetch(signedUrl)).text(), "content of a_1/one.txt");
  const [first, spaced, missing] = await given(files.createSignedUrls(["top.txt", "sp ace/n 1.txt", "none.txt"], 60));
  assert.equal(await (await fetch(first.signedUrl)).text(), "content of top.txt");
  assert.equal(await (await fetch(spaced.signedUrl)).text(), "content of sp ace/n 1.txt");
  assert.ok(missing.error);
});

test("a signed upload URL lets a client without rights store that one file", async () => {
  const { path, token } = await given(files.createSignedUploadUrl("signed.txt"));
  const visitor = client(publishableKey).storage.from(BUCKET);
  await given(visitor.uploadToSignedUrl(path, token, "by a visitor", { contentType: "text/plain" }));
  assert.equal(await (await given(files.download("signed.txt"))).text(), "by a visitor");
  assert.ok((await visitor.upload("unsigned.txt", "no")).error);
  assert.ok((await visitor.download("signed.txt")).error);
});

test("move, copy and remove keep the bytes and the rows together", async () => {
  await given(files.copy("top.txt", "copied.txt"));
  await given(files.move("copied.txt", "deep/moved.txt"));
  assert.equal(await (await given(files.download("deep/moved.txt"))).text(), "content of top.txt");
  assert.ok((await files.download("copied.txt")).error);
  await given(files.remove(["deep/moved.txt"]));
  assert.ok((await files.download("deep/moved.txt")).error);
});
