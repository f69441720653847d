// What lite's Auth lacks at sign-in: metadata in the access token.
import { decodeJwt, SignJWT } from "jose";

const answersWithSession = /^\/auth\/v1\/(token|signup|verify)$/;

/**
 * Fault: lite's tokens carry sub, aud, role, email and session_id only, so
 * auth.jwt() -> 'app_metadata' is empty. Signs them anew with the claims that
 * Supabase puts in.
 */
export function tokenCompleter({ jwtSecret, url }) {
  const secret = new TextEncoder().encode(jwtSecret);
  return async (request, response) => {
    if (request.method !== "POST" || response.status !== 200 || !answersWithSession.test(new URL(request.url).pathname))
      return response;
    const session = await response.json();
    // Sign-up that still waits for a confirmation answers with a user, no session.
    if (session.access_token) {
      const { user } = session;
      session.access_token = await new SignJWT({
        iss: `${url}/auth/v1`,
        ...decodeJwt(session.access_token),
        phone: user.phone ?? "",
        app_metadata: user.app_metadata ?? {},
        user_metadata: user.user_metadata ?? {},
        aal: "aal1",
        is_anonymous: user.is_anonymous ?? false,
      }).setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(secret);
    }
    const headers = new Headers(response.headers);
    headers.delete("content-length");
    return Response.json(session, { status: response.status, headers });
  };
}
