// Storage: files on disk, and the answers where lite's differ from Supabase's.
import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { copyFile, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** lite's own adapter is not exported. The database says which objects exist; this keeps their bytes. */
export async function fileAdapter(dir) {
  await mkdir(dir, { recursive: true });
  // A hash for a name: no traversal, no length limit, no clash of "a" with "a/b".
  const pathOf = (bucket, key) => join(dir, createHash("sha256").update(`${bucket}\0${key}`).digest("hex"));

  async function metadata(path) {
    const [head, file] = await Promise.all([readFile(`${path}.json`, "utf8"), stat(path)]);
    const size = { size: file.size, contentLength: file.size, lastModified: file.mtime };
    return { ...JSON.parse(head), ...size, httpStatusCode: 200 };
  }

  const remove = (bucket, key) => {
    const path = pathOf(bucket, key);
    return Promise.all([rm(path, { force: true }), rm(`${path}.json`, { force: true })]);
  };

  return {
    driver: null,
    async getObject(bucket, key) {
      const path = pathOf(bucket, key);
      const found = await metadata(path);
      return { metadata: found, httpStatusCode: 200, body: Readable.toWeb(createReadStream(path)) };
    },
    async uploadObject(bucket, key, _version, body, mimetype, cacheControl) {
      const path = pathOf(bucket, key);
      // Written aside and renamed: a reader sees the old file or the new one.
      const draft = `${path}.${randomUUID()}`;
      const hash = createHash("md5");
      const source = body instanceof ReadableStream ? Readable.fromWeb(body) : Readable.from([Buffer.from(body)]);
      try {
        await pipeline(source, async function* (chunks) {
          for await (const chunk of chunks) {
            hash.update(chunk);
            yield chunk;
          }
        }, createWriteStream(draft));
        await rename(draft, path);
      } finally {
        await rm(draft, { force: true });
      }
      await writeFile(`${path}.json`, JSON.stringify({ mimetype, cacheControl, eTag: `"${hash.digest("hex")}"` }));
      return metadata(path);
    },
    deleteObject: remove,
    async deleteObjects(bucket, keys) {
      await Promise.all(keys.map((key) => remove(bucket, key)));
    },
    async copyObject(bucket, key, _version, toBucket, toKey) {
      const [from, to] = [pathOf(bucket, key), pathOf(toBucket, toKey)];
      await copyFile(from, to);
      await copyFile(`${from}.json`, `${to}.json`);
      return metadata(to);
    },
    headObject: (bucket, key) => metadata(pathOf(bucket, key)),
    async privateAssetUrl(bucket, key) {
      return `file://${pathOf(bucket, key)}`;
    },
  };
}

const relative = (signedUrl) => signedUrl.replace(/^\/storage\/v1/, "");

/** Objects below `folder` as the dashboard and supabase-js see them: one level, folders as entries of their own. */
function oneLevel(objects, folder) {
  const entries = new Map();
  // lite matches by LIKE, where _ and % of a key are wildcards.
  for (const object of objects.filter(({ name }) => name.startsWith(folder))) {
    const [name, ...deeper] = object.name.slice(folder.length).split("/");
    if (deeper.length === 0) entries.set(`file ${name}`, { ...object, name });
    else entries.set(`folder ${name}`, { name, id: null, updated_at: null, created_at: null, last_accessed_at: null, metadata: null });
  }
  return [...entries.values()];
}

function compareBy({ column = "name", order = "asc" } = {}) {
  const sign = order === "desc" ? -1 : 1;
  const value = (entry) => String(entry[column] ?? "");
  // Folders first, as Supabase lists them.
  return (a, b) => Number(a.id !== null) - Number(b.id !== null) || sign * (value(a) < value(b) ? -1 : 1);
}

/** A request like `request`, to another path or with another body. */
function altered(request, pathname, body) {
  const headers = new Headers(request.headers);
  headers.delete("content-length");
  headers.set("content-type", "application/json");
  return new Request(new URL(pathname, request.url), { method: "POST", headers, body: JSON.stringify(body) });
}

/**
 * `forward` passes a request on to lite. Faults: /object/sign/<bucket>/<key>
 * answers signedUrl where clients read signedURL; /object/sign/<bucket>, for
 * many keys, is taken for the former; /object/upload/sign lacks url;
 * /object/list answers whole keys at every depth, after limit and offset.
 */
export async function answerStorage(request, forward) {
  const { pathname } = new URL(request.url);
  const route = /^\/storage\/v1\/object\/(list|sign|upload\/sign)\/[^/]+(\/.)?/.exec(pathname);
  if (request.method !== "POST" || !route) return forward(request);
  const [, action, key] = route;
  if (action === "list") return listFolder(request, forward);
  if (action === "sign" && !key) return signMany(request, forward);

  const response = await forward(request);
  if (!response.ok) return response;
  const body = await response.json();
  const signed = relative(body.signedUrl);
  return Response.json({ ...body, ...(action === "sign" ? { signedURL: signed } : { url: signed }) });
}

async function signMany(request, forward) {
  const { pathname } = new URL(request.url);
  const { paths = [], expiresIn } = await request.json().catch(() => ({}));
  return Response.json(await Promise.all(paths.map(async (path) => {
    const key = path.split("/").map(encodeURIComponent).join("/");
    const response = await forward(altered(request, `${pathname}/${key}`, { expiresIn }));
    const body = await response.json();
    return response.ok
      ? { path, signedURL: relative(body.signedUrl), error: null }
      : { path, signedURL: null, error: "Either the object does not exist or you do not have access to it" };
  })));
}

async function listFolder(request, forward) {
  const asked = await request.json().catch(() => ({}));
  const { prefix = "", limit = 100, offset = 0, sortBy, search = "" } = asked;
  const folder = prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`;
  const response = await forward(altered(request, request.url, { prefix: folder }));
  if (!response.ok) return response;
  const found = oneLevel(await response.json(), folder)
    .filter((entry) => entry.name.toLowerCase().startsWith(search.toLowerCase()))
    .sort(compareBy(sortBy))
    .slice(offset, offset + limit);
  return Response.json(found);
}
