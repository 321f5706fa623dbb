// SPDX-License-Identifier: MIT
// What a browser gets for an address that is none: the server makes what the
// page links to lead to the root, whatever was asked for.
import { setUpTheme } from "../shared/site.js";
import "../shared/base.css";
import "./missing.css";

setUpTheme();
const asked = document.querySelector("[data-asked]");
if (asked) asked.textContent = location.pathname;
