// Soft navigation: a link to a page with the same shell changes only the slots that differ. The slots runtime loads this
// on pages that say so, where the browser has the Navigation API.
// Whatever is odd is an ordinary load, and what a visitor can tell (address, title, focus, scroll, history) is the same.
// Viewers get `soft.min.js`, which `./dev small` makes of this.
export const listen = ({ nodes, load, put, shell }) => {
  const page = document
  const path = ({ pathname, search }) => pathname + search
  const voice = page.createElement("p")
  voice.ariaLive = "polite"
  voice.style = "position:fixed;clip-path:inset(50%)"
  let shown = path(location)
  let leaving
  // An entry of the history keeps which page its slots are of; also one that a fragment's own router made.
  const kept = (entry) => entry.getState()?.mfPage
  const keep = (mfPage) => navigation.updateCurrentEntry({ state: { ...navigation.currentEntry.getState(), mfPage } })
  // Whoever goes back while nobody listens yet gets the address alone; then what belongs there is loaded.
  const { activation, currentEntry } = navigation
  if (activation?.entry && activation.entry.key !== currentEntry.key && kept(currentEntry)) return location.reload()
  keep(shown)
  navigation.addEventListener("currententrychange", () => kept(navigation.currentEntry) || keep(shown))
  // Back from where an ordinary load led to, by the browser's own cache.
  addEventListener("pageshow", () => (leaving = false))

  const places = () =>
    nodes(129).filter(
      (node) => (node.dataset?.mfSlot || /^mf:/.test(node.data)) && !node.parentNode.closest?.("[data-mf-slot]")
    )
  const turn = async (wanted, signal) => {
    keep(wanted)
    if (!voice.isConnected) page.body.append(voice)
    const answer = await fetch("/-/slots" + wanted, { signal, redirect: "error" })
    const plan = await answer.json()
    const here = places()
    if (!answer.ok || plan.shell !== shell || here.length !== plan.slots.length) throw 0
    const changed = plan.slots
      .map((slot, at) => [slot, here[at]])
      .filter(([{ mark }, place]) => place.data !== "mf:" + mark && place.dataset?.mfSlot !== mark)
    // What stands in no element (in a table, in the head) cannot be replaced, and throws here.
    const pieces = await Promise.all(changed.map(([{ src }, { dataset }]) => dataset.mfLazy ? 0 : load(src, signal)))
    const change = () => {
      if (signal.aborted) return
      const held = page.activeElement
      let first
      changed.forEach(([{ mark, src, kept = [] }, place], at) => {
        if (pieces[at]) {
          const slot = put(pieces[at], place, mark, kept.map(([name, value]) => ({ name, value })))
          first ??= slot
        }
        else Object.assign(place.dataset, { mfSlot: mark, mfLazy: src })
      })
      page.title = plan.title ?? page.title
      shown = wanted
      // What had the focus has it still, unless it is gone.
      if (first && !held.isConnected) {
        first.tabIndex = -1
        first.focus({ preventScroll: true })
      }
    }
    if (page.startViewTransition && !matchMedia("(prefers-reduced-motion:reduce)").matches) {
      const moving = page.startViewTransition(change)
      moving.ready.catch(() => {}) // it is not seen, and that is no fault
      await moving.updateCallbackDone
    } else change()
    voice.textContent = page.title
  }

  navigation.addEventListener("navigate", (event) => {
    const { destination, navigationType, signal } = event
    const back = navigationType === "traverse"
    const wanted = back ? kept(destination) : path(new URL(destination.url))
    if (leaving || page.readyState === "loading" || !wanted || wanted === shown || /^\/-\//.test(wanted)) return
    if (!event.canIntercept || event.defaultPrevented || event.formData || event.downloadRequest != null) return
    if (navigationType === "reload" || destination.sameDocument !== back) return
    if (event.sourceElement?.closest("[rel~=external]")) return
    event.intercept({
      focusReset: "manual",
      handler: () =>
        turn(wanted, signal).then(
          // Chromium goes to the top of a page by itself since 150 or so.
          () => back || location.hash || signal.aborted || scrollTo({ top: 0, behavior: "instant" }),
          () => {
            if (signal.aborted) return
            leaving = true
            if (back || location.hash) location.reload()
            else location.replace(location)
          }
        ),
    })
  })
}
