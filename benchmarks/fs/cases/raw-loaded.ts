/** The cases of `raw`, in a program that has loaded what the cases of `arborio` load. */
import "arborio";
import "arborio/fs";
import "./raw.ts";
