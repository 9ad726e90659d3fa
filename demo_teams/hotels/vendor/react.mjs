// What our application takes of React: this, bundled, is ../static/react.js.
export { createElement, useEffect, useId, useMemo, useState } from "react";
export { createRoot, hydrateRoot } from "react-dom/client";
