// /auth/v1/admin/users, which lite does not have: the calls behind
// supabase.auth.admin.{createUser,listUsers,getUserById,updateUserById,deleteUser}.
import { roleResolver } from "./keys.mjs";

const PREFIX = "/auth/v1/admin/users";
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const MIN_PASSWORD = 6;
// bcrypt ignores what is beyond 72 bytes.
const MAX_PASSWORD = 72;

const refusal = (status, errorCode, msg) =>
  Response.json({ code: status, error_code: errorCode, msg }, { status, headers: { "x-sb-error-code": errorCode } });
const notFound = () => refusal(404, "user_not_found", "User not found");

class Invalid extends Error {
  constructor(message, code = "validation_failed", status = 400) {
    super(message);
    this.answer = refusal(status, code, message);
  }
}

function checkedEmail(email) {
  if (typeof email !== "string" || !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email))
    throw new Invalid("Unable to validate email address: invalid format");
  return email.toLowerCase();
}

function checkedPassword(password) {
  if (typeof password !== "string" || password.length < MIN_PASSWORD)
    throw new Invalid(`Password should be at least ${MIN_PASSWORD} characters.`, "weak_password", 422);
  if (Buffer.byteLength(password) > MAX_PASSWORD) throw new Invalid(`Password cannot be longer than ${MAX_PASSWORD} characters`);
  return password;
}

function checkedMetadata(name, value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Invalid(`${name} must be an object`);
  return value;
}

// As GoTrue: the patch is laid over what is there, and null removes a key.
function merged(old, patch) {
  const all = { ...old, ...patch };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}

async function readUsers(sql, where, page) {
  return sql`
    select u.id, u.aud, u.role, u.email, coalesce(u.phone, '') as phone, u.email_confirmed_at, u.confirmed_at,
      u.last_sign_in_at, u.banned_until, u.created_at, u.updated_at, u.is_anonymous,
      u.raw_app_meta_data as app_metadata, u.raw_user_meta_data as user_metadata,
      (select coalesce(jsonb_agg(jsonb_build_object(
          'identity_id', i.id, 'id', i.provider_id, 'user_id', i.user_id, 'provider', i.provider,
          'identity_data', i.identity_data, 'email', i.email, 'last_sign_in_at', i.last_sign_in_at,
          'created_at', i.created_at, 'updated_at', i.updated_at) order by i.created_at), '[]')
        from auth.identities i where i.user_id = u.id) as identities
    from auth.users u where ${where}
    order by u.created_at desc, u.id limit ${page.size} offset ${page.offset}`;
}

const readUser = async (sql, id) => (await readUsers(sql, sql`u.id = ${id}`, { size: 1, offset: 0 }))[0];

async function createUser(sql, body) {
  const id = body.id === undefined ? crypto.randomUUID() : String(body.id);
  if (!UUID.test(id)) throw new Invalid("ID must conform to the uuid v4 format");
  const email = checkedEmail(body.email);
  const password = body.password === undefined ? null : checkedPassword(body.password);
  const app = { provider: "email", providers: ["email"], ...checkedMetadata("app_metadata", body.app_metadata ?? {}) };
  const user = checkedMetadata("user_metadata", body.user_metadata ?? {});
  const confirmed = Boolean(body.email_confirm);
  const identity = { sub: id, email, email_verified: confirmed, phone_verified: false };
  return sql.begin(async (tx) => {
    await tx`
      insert into auth.users (id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data, raw_user_meta_data)
      values (${id}, 'authenticated', ${body.role ?? "authenticated"}, ${email},
        extensions.crypt(${password}::text, extensions.gen_salt('bf', 10)),
        case when ${confirmed} then now() end, ${tx.json(app)}, ${tx.json(user)})`;
    await tx`
      insert into auth.identities (id, provider, provider_id, user_id, identity_data)
      values (gen_random_uuid(), 'email', ${id}, ${id}, ${tx.json(identity)})`;
    return Response.json(await readUser(tx, id));
  });
}

async function updateUser(sql, id, body) {
  return sql.begin(async (tx) => {
    const [row] = await tx`select raw_app_meta_data as app, raw_user_meta_data as usr from auth.users where id = ${id} for update`;
    if (!row) return notFound();
    const change = { updated_at: tx`now()` };
    if (body.email !== undefined) change.email = checkedEmail(body.email);
    if (body.password !== undefined)
      change.encrypted_password = tx`extensions.crypt(${checkedPassword(body.password)}, extensions.gen_salt('bf', 10))`;
    if (body.email_confirm) change.email_confirmed_at = tx`coalesce(email_confirmed_at, now())`;
    if (body.role !== undefined) change.role = String(body.role);
    if (body.app_metadata !== undefined)
      change.raw_app_meta_data = tx.json(merged(row.app, checkedMetadata("app_metadata", body.app_metadata)));
    if (body.user_metadata !== undefined)
      change.raw_user_meta_data = tx.json(merged(row.usr, checkedMetadata("user_metadata", body.user_metadata)));
    for (const [column, value] of Object.entries(change))
      await tx`update auth.users set ${tx(column)} = ${value} where id = ${id}`;
    if (change.email)
      await tx`
        update auth.identities set identity_data = identity_data || ${tx.json({ email: change.email })}, updated_at = now()
        where user_id = ${id} and provider = 'email'`;
    return Response.json(await readUser(tx, id));
  });
}

async function listUsers(sql, url) {
  const number = (name, otherwise) => Math.max(1, Number.parseInt(url.searchParams.get(name) ?? "", 10) || otherwise);
  const page = number("page", 1);
  const size = Math.min(number("per_page", 50), 1000);
  const [{ total }] = await sql`select count(*)::int as total from auth.users`;
  const users = await readUsers(sql, sql`true`, { size, offset: (page - 1) * size });
  const last = Math.max(1, Math.ceil(total / size));
  const link = (number, rel) => `<${PREFIX}?page=${number}&per_page=${size}>; rel="${rel}"`;
  const links = [...(page < last ? [link(page + 1, "next")] : []), link(last, "last")];
  return Response.json({ users, aud: "authenticated" }, { headers: { "x-total-count": String(total), link: links.join(", ") } });
}

async function readBody(request) {
  const body = await request.json().catch(() => null);
  if (body === null || typeof body !== "object") throw new Invalid("Could not parse request body as JSON", "bad_json");
  return body;
}

export function adminApi(settings, sql) {
  const roleOf = roleResolver(settings);

  async function answer(request, url, id) {
    const role = await roleOf(request);
    if (role === null) return refusal(401, "no_authorization", "This endpoint requires a valid Bearer token");
    if (role !== "service_role") return refusal(403, "not_admin", "User not allowed");
    if (id && !UUID.test(id)) return refusal(404, "validation_failed", "user_id must be an UUID");
    switch (`${request.method} ${id ? "one" : "all"}`) {
      case "POST all": return createUser(sql, await readBody(request));
      case "GET all": return listUsers(sql, url);
      case "GET one": {
        const user = await readUser(sql, id);
        return user ? Response.json(user) : notFound();
      }
      case "PUT one": return updateUser(sql, id, await readBody(request));
      case "DELETE one": {
        const gone = await sql`delete from auth.users where id = ${id}`;
        return gone.count > 0 ? Response.json({}) : notFound();
      }
      default: return new Response(null, { status: 405 });
    }
  }

  /** Resolves to undefined for a path that is not its own. */
  return async (request) => {
    const url = new URL(request.url);
    if (url.pathname !== PREFIX && !url.pathname.startsWith(`${PREFIX}/`)) return undefined;
    try {
      return await answer(request, url, url.pathname.slice(PREFIX.length + 1));
    } catch (error) {
      if (error instanceof Invalid) return error.answer;
      if (error.code === "23505")
        return refusal(422, "email_exists", "A user with this email address has already been registered");
      // A trigger or a foreign key of the product refused; GoTrue says no more either.
      console.error(`auth admin: ${error.code ?? ""} ${error.message}`);
      return refusal(500, "unexpected_failure", "Database error saving user");
    }
  };
}
