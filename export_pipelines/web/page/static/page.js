// The page works without scripts; these make it livelier. Each looks for its own marks and does nothing without them.

import { showTimes } from "./times.js";
import { followJobs } from "./live.js";
import { searchAsTyped } from "./choices.js";
import { previewInPlace } from "./preview.js";
import { closeMenus } from "./menus.js";

// What was said once is not said again when the page is loaded anew.
const here = new URL(location.href);
if (here.searchParams.has("notice")) {
  here.searchParams.delete("notice");
  history.replaceState(null, "", here);
}

showTimes();
followJobs();
searchAsTyped();
previewInPlace();
closeMenus();
