/** What a worker runs. Nothing else imports it. */
import { hostBackend } from "../platform/host.ts";
import { serve } from "./serve.ts";

const parent = hostBackend.threads?.parent;
if (parent !== undefined) serve(parent);
