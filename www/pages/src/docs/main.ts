// SPDX-License-Identifier: MIT
// The documents are plain pages; scripts only remember the theme.
import { setUpTheme } from "../shared/site.js";
import "../shared/base.css";
import "./docs.css";

setUpTheme();
