// The page works without scripts; these make it livelier. Each looks for its own marks and does nothing without them.

import { showTimes } from "./times.js";
import { followJobs } from "./live.js";
import { searchAsTyped } from "./choices.js";
import { previewInPlace } from "./preview.js";
import { closeMenus } from "./menus.js";

showTimes();
followJobs();
searchAsTyped();
previewInPlace();
closeMenus();
