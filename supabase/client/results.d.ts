import type { Json } from "./database.js";

/** What RPCs that return an object return. The others return `Json`. */
export interface Results {}

export type Result<Name extends string> = Name extends keyof Results ? Results[Name] : Json;
