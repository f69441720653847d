// API keys and JWTs: who is calling.
import { jwtVerify } from "jose";
import { sameKey } from "./settings.mjs";

export const bearerOf = (header) => /^Bearer\s+(\S+)$/i.exec(header ?? "")?.[1];

/** A resolver for lite, which by itself compares keys with ===. */
export function keyResolver({ publishableKey, secretKey }) {
  return async (key) => {
    if (sameKey(key, secretKey)) return { type: "secret", claims: { role: "service_role" } };
    if (sameKey(key, publishableKey)) return { type: "publishable", claims: { role: "anon" } };
    return null;
  };
}

/** Resolves to the claims, or to null for anything but a valid, unexpired token of ours. */
export function tokenVerifier({ jwtSecret }) {
  const secret = new TextEncoder().encode(jwtSecret);
  return async (token) => {
    if (!token) return null;
    try {
      return (await jwtVerify(token, secret, { algorithms: ["HS256"], requiredClaims: ["exp"] })).payload;
    } catch {
      return null;
    }
  };
}

/** The role that a request has at Auth: its JWT's, else its API key's; null without a valid key. */
export function roleResolver(settings) {
  const resolveKey = keyResolver(settings);
  const verify = tokenVerifier(settings);
  return async (request) => {
    const key = await resolveKey(request.headers.get("apikey") ?? "");
    if (!key) return null;
    const token = bearerOf(request.headers.get("authorization"));
    if (!token || token.startsWith("sb_")) return key.claims.role;
    return (await verify(token))?.role ?? null;
  };
}
