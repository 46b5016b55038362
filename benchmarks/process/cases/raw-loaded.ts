/** The cases of `raw`, in a program that has loaded what the cases of `arborio` load. */
import "arborio";
import "arborio/process";
import "./raw.ts";
