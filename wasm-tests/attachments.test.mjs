import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";

import { anonymous, as, call, northwind, service, unique, volt } from "./stack.mjs";

const BUCKET = "attachments";
const files = (user) => user.storage.from(BUCKET);

let customer;
let folder;
const uploaded = [];

async function given(promise) {
  const { data, error } = await promise;
  assert.ifError(error);
  return data;
}

/** A file of the customer, put there by a csr. */
async function file(content) {
  const path = `${folder}/${randomUUID()}.txt`;
  await given(files(await as("csr")).upload(path, content, { contentType: "text/plain" }));
  uploaded.push(path);
  return path;
}

before(async () => {
  customer = await call(await as("csr"), "crm_create_customer", { type: "individual", name: unique("Filed") });
  folder = `${northwind.id}/${customer.id}`;
});
after(async () => {
  await files(service).remove(uploaded);
});

test("a csr uploads a file, links it to the customer and hands out a link", async () => {
  const csr = await as("csr");
  const path = await file("the contract");
  const row = await given(csr.from("attachments").insert({
    customer_id: customer.id, object_name: path, file_name: "contract.txt", content_type: "text/plain", size_bytes: 12,
  }).select().single());
  assert.equal(row.org_id, northwind.id);
  assert.equal(row.created_by_user_id, csr.id);
  const document = await given(csr.from("documents").insert({
    customer_id: customer.id, type: "contract", title: "Contract", attachment_id: row.id,
  }).select().single());
  assert.equal(document.is_customer_visible, false);

  const { signedUrl } = await given(files(csr).createSignedUrl(path, 60));
  const response = await fetch(signedUrl);
  assert.equal(response.status, 200);
  assert.equal(await response.text(), "the contract");
});

test("a viewer reads the file and cannot change it", async () => {
  const viewer = await as("viewer");
  const path = await file("read only");
  assert.equal(await (await given(files(viewer).download(path))).text(), "read only");
  assert.ok((await files(viewer).upload(`${folder}/${randomUUID()}.txt`, "x")).error);
  assert.ok((await files(viewer).update(path, "changed")).error);
  await files(viewer).remove([path]);
  assert.equal(await (await given(files(viewer).download(path))).text(), "read only");
});

const outsiders = [
  ["a csr of Volt", () => as("csr", volt)],
  ["the owner of Volt", () => as("owner", volt)],
  ["a technician", () => as("technician")],
  ["a client admin", () => as("client_admin")],
  ["a portal customer", () => as("portal_customer")],
  ["a visitor", async () => anonymous()],
];
for (const [who, enter] of outsiders) {
  test(`${who} neither reads, lists, links, overwrites, moves nor removes the file, nor adds one`, async () => {
    const user = await enter();
    const path = await file("kept");

    const read = await files(user).download(path);
    assert.ok(read.error && !read.data, "reads");
    const list = await files(user).list(folder);
    assert.deepEqual(list.data ?? [], [], "lists");
    const orgs = await files(user).list("");
    assert.ok(!(orgs.data ?? []).some(({ name }) => name === northwind.id), "lists the folder of the org");
    assert.ok((await files(user).createSignedUrl(path, 60)).error, "links");
    assert.ok((await files(user).update(path, "changed")).error, "overwrites");
    assert.ok((await files(user).upload(path, "changed", { upsert: true })).error, "replaces");
    assert.ok((await files(user).upload(`${folder}/${randomUUID()}.txt`, "x")).error, "adds");
    assert.ok((await files(user).move(path, `${volt.id}/${randomUUID()}.txt`)).error, "moves");
    assert.ok((await files(user).copy(path, `${volt.id}/${randomUUID()}.txt`)).error, "copies");
    await files(user).remove([path]);

    const kept = await given(files(await as("csr")).download(path));
    assert.equal(await kept.text(), "kept");
    const rows = await user.from("attachments").select("id").eq("customer_id", customer.id);
    assert.deepEqual(rows.data ?? [], []);
  });
}

test("nobody uploads into the folder of another org, or into none", async () => {
  const csr = await as("csr");
  for (const path of [`${volt.id}/${randomUUID()}.txt`, `${randomUUID()}.txt`, `x/${folder}/a.txt`, `${northwind.id}x/a.txt`]) {
    const { error } = await files(csr).upload(path, "x");
    if (!error) uploaded.push(path);
    assert.ok(error, path);
  }
});

test("a row does not point at a file of another org", async () => {
  const csr = await as("csr");
  const { error } = await csr.from("attachments").insert({
    customer_id: customer.id, object_name: `${volt.id}/${randomUUID()}.txt`, file_name: "x.txt",
  });
  assert.equal(error.code, "42501");
});
