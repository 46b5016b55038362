/** The application of the subjects `hono` and `arborio-hono`. */
import { Hono } from "hono";
import { GREETING } from "./payload.ts";

export const app: Hono = new Hono()
  .get("/", (context) => context.text(GREETING))
  .post("/", async (context) => context.json(await context.req.json()));
