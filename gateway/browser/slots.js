// The runtime of a page whose slots are filled after it left, or taken over by scripts: late and lazy pieces, modules
// that mount into a slot, and a bus between them.
// Whatever goes wrong leaves the fallback, or the server's markup, as it stands.
// Viewers get `slots.min.js`, which `./dev small` makes of this.
(() => {
  const mark = Symbol.for("mf-slots")
  // Loaded twice is loaded once, also when a fragment's document brings another version.
  if (window[mark]) return
  const page = document
  const { nonce, dataset: said } = page.querySelector("script[data-mf-runtime]")
  const make = (name) => page.createElement(name)
  const find = (root, selector) => [...root.querySelectorAll(selector)]
  const listen = (target, word, act, options) => target.addEventListener(word, act, options)
  const parsing = () => page.readyState === "loading"
  const fire = (target, word, detail) =>
    target.dispatchEvent(new CustomEvent("mf:" + word, { detail, bubbles: true, composed: true, cancelable: true }))
  // A mark may have come with the request, in a page that writes whatever it is told: what it names is the portal's own.
  const own = (address, below = "/") => {
    const { href, origin, pathname } = new URL(address, location)
    if (origin === location.origin && pathname.startsWith(below)) return href
    throw TypeError(address)
  }
  const titled = (slot) => slot.getAttribute("name") ?? slot.dataset.mfName
  const failed = (slot) => (error) => {
    if (fire(slot, "error", { name: titled(slot), message: "" + error })) reportError(error)
  }
  const nodes = (kinds) => {
    const walker = page.createTreeWalker(page, kinds)
    const found = []
    while (walker.nextNode()) found.push(walker.currentNode)
    return found
  }
  // Where a page demands trusted types and forbids this policy, the browser refuses what would have needed it.
  const same = (text) => text
  let trust = { createHTML: same, createScript: same, createScriptURL: same }
  try {
    trust = trustedTypes.createPolicy("mf-slots", trust)
  } catch {}

  // What a piece is made of, its shadow roots included.
  const all = (root) =>
    [...root.children, ...(root.shadowRoot?.children ?? [])].flatMap((child) => [child, ...all(child)])
  // Done already, where the browser's parser can; what cannot have a shadow keeps its template.
  const attach = (root) => {
    for (const template of find(root, "template[shadowrootmode]"))
      try {
        const shadow = template.parentNode.attachShadow({ mode: "open" })
        shadow.append(template.content)
        template.remove()
        attach(shadow)
      } catch {}
  }
  // What is for the head stands there in a slot without a mark: the runtime of a page below a prefix maps nothing in it.
  const holder = page.head.appendChild(make("mf-head"))
  holder.dataset.mfSlot = ""
  const hold = (elements) => {
    for (const element of elements)
      holder[element.isConnected && holder.moveBefore ? "moveBefore" : "insertBefore"](element, null)
  }
  const loaded = (element) =>
    new Promise((done) => {
      listen(element, "load", done)
      listen(element, "error", done)
    })
  // Gives the head what is new to it, and waits for its sheets, though not for ever, also for those that another piece
  // has brought just now. Scripts are left empty: each is filled in its place once all before it have run.
  const sheets = new Map()
  const prepared = async (items, root) => {
    const key = ({ localName, rel, href, src, textContent }) => [localName, rel, href || src || textContent] + ""
    const known = new Set(find(page, "link,style,script").map(key))
    const added = items.map((item) => page.adoptNode(item)).filter((item) => !known.has(key(item)))
    for (const item of added) if (/style/.test(item.rel)) sheets.set(key(item), loaded(item))
    hold(added)
    const scripts = [...added, ...all(root)]
      .filter((element) => element instanceof HTMLScriptElement)
      .map((old) => {
        const script = make("script")
        old.replaceWith(script)
        return [script, old]
      })
    await Promise.race([Promise.all(items.map((item) => sheets.get(key(item)))), new Promise((done) => setTimeout(done, 3000))])
    return scripts
  }
  const run = async (scripts) => {
    for (const [script, old] of scripts) {
      const address = old.getAttribute("src")
      script.async = false
      for (const { name, value } of old.attributes) if (name !== "src") script.setAttribute(name, value)
      script.nonce = old.nonce
      const done = loaded(script)
      if (address) script.src = trust.createScriptURL(address)
      else script.text = trust.createScript(old.text)
      if (address && !script.async && !script.noModule && script.type !== "module") await done
    }
  }

  // Late pieces, where the browser has not put them into their places itself. The marks around a place are comments to
  // browsers that know no instructions.
  const words = ({ target, data }) => (target ? "?" + target + " " : "") + data
  const swap = async (template) => {
    const marks = nodes(192)
    const at = marks.findIndex((node) => words(node).startsWith(`?start name="${template.getAttribute("for")}"`))
    const start = marks[at]
    const end = marks.find(
      (node, later) => later > at && node.parentNode === start?.parentNode && /^\?end\b/.test(words(node))
    )
    if (!end) return
    const { content } = template
    attach(content)
    const range = page.createRange()
    range.setStartBefore(start)
    range.setEndAfter(end)
    // No other piece finds the place again.
    for (const node of [start, end, template]) node.remove()
    const scripts = await prepared(find(content, "link[rel*=style]"), content)
    range.deleteContents()
    range.insertNode(content)
    await run(scripts)
  }
  // Something behind it tells that a node was parsed to its end; an instruction there, that it is being patched.
  const whole = (node) => {
    if (!node || !parsing()) return true
    const next = node.nextSibling
    return next ? next.nodeType !== 7 : node.parentNode !== page && whole(node.parentNode)
  }

  // Pieces with an address of their own.
  const load = async (address, signal) => {
    const answer = await fetch(own(address, "/-/fragment/"), { signal, redirect: "error" })
    // In a template nothing is loaded, run, or judged by the page's policy yet.
    const template = make("template")
    const text = trust.createHTML(await answer.text())
    if (template.setHTMLUnsafe) template.setHTMLUnsafe(text)
    else template.innerHTML = text
    const { content } = template
    attach(content)
    const slot = answer.ok && content.querySelector("[data-mf-slot]")
    if (!slot) throw Error(address + ": " + answer.status)
    const items = [...content.children].filter((child) =>
      child.matches('link[rel*=style],link[rel*=pre],style,script:not([src*="/-/browser/"])')
    )
    for (const element of [...items, ...all(slot)]) {
      // Late pieces carry the page's nonce, by which they are known from what only looks like one.
      if (nonce) element.nonce = nonce
      // Read without scripting, its content is elements.
      if (element.localName === "noscript") element.textContent = element.innerHTML
    }
    return [slot, await prepared(items, slot)]
  }
  // The shell's own attributes stay with the place.
  const put = ([slot, scripts], place, mfSlot = place.dataset.mfSlot, own = place.attributes) => {
    for (const { name, value } of own)
      if (/^(id|class|style)$/.test(name))
        slot.setAttribute(name, name === "class" ? slot.className + " " + value : value)
    slot.dataset.mfSlot = mfSlot
    place.replaceWith(slot)
    run(scripts).catch(failed(slot))
    return slot
  }
  // Lazy ones, when they come near.
  const sight = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries)
        if (isIntersecting) {
          sight.unobserve(target)
          bring(target.closest("[data-mf-lazy]"))
        }
    },
    { rootMargin: "300px", scrollMargin: "300px" }
  )
  const bring = async (slot) => {
    slot.ariaBusy = true
    try {
      put(await load(slot.dataset.mfLazy), slot)
    } catch (error) {
      slot.ariaBusy = null
      failed(slot)(error)
    }
  }

  // The bus: any script of the page may take part, by events of the document.
  const states = new Map()
  const keep = (topic) => {
    if (!/^state:/.test(topic) || states.has(topic)) return
    states.set(topic)
    listen(page, "mf:" + topic, ({ detail }) => states.set(topic, JSON.stringify(detail)))
  }
  const bus = (signal) => ({
    emit(topic, detail = null) {
      keep(topic)
      fire(page, topic, JSON.parse(JSON.stringify(detail)))
    },
    on(topic, listener, options) {
      const heard = ({ detail }) => signal?.aborted || listener(detail)
      keep(topic)
      listen(page, "mf:" + topic, heard, { signal, ...options })
      if (states.get(topic)) heard({ detail: JSON.parse(states.get(topic)) })
      return () => page.removeEventListener("mf:" + topic, heard)
    },
  })
  window[mark] = { bus: bus() }

  // Modules, from the moment their slot is in the page to the moment it is not.
  const mounted = new Map()
  const waiting = new Set()
  let over
  const begin = (slot) => {
    const { mfModule, mfBase: base = "/" } = slot.dataset
    const life = new AbortController()
    const { signal } = life
    const element = slot.shadowRoot ?? slot
    const navigate = (url, options) => {
      const { href, protocol } = new URL(url, new URL(base, page.baseURI))
      if (!/^http/.test(protocol)) throw TypeError(url)
      location[options?.replace ? "replace" : "assign"](href)
    }
    const mount = async () => {
      const module = await import(own(mfModule))
      if (signal.aborted) return
      const children = [...element.children]
      // What came too late for the head is none of the module's.
      if (element === slot) hold(children.filter((child) => child.matches("link,style,script[src]")))
      const has = children.some((child) => !child.matches("link,style,script,noscript"))
      const act = (has && module.hydrate) || module.mount
      return act(element, { base, name: titled(slot), signal, bus: bus(signal), navigate })
    }
    const running = mount()
    running.catch(failed(slot))
    mounted.set(slot, () => {
      life.abort()
      running.then((unmount) => unmount?.())
    })
  }
  const follow = (root) => {
    watch.observe(root, { childList: true, subtree: true })
    look(root)
  }
  const look = (root) => {
    for (const slot of [root, ...find(root, "[data-mf-slot]")]) {
      const { mfModule, mfLazy } = slot.dataset ?? {}
      if (slot.shadowRoot) follow(slot.shadowRoot)
      if (mfModule && !mounted.has(slot)) waiting.add(slot)
      if (mfLazy)
        // What has no box of its own is never seen.
        sight.observe(getComputedStyle(slot).display === "contents" ? slot.appendChild(make("i")) : slot)
    }
  }
  const settle = () => {
    for (const [slot, end] of mounted)
      if (!slot.isConnected) {
        mounted.delete(slot)
        end()
      }
    for (const slot of waiting)
      if (whole(slot)) {
        waiting.delete(slot)
        if (slot.isConnected) begin(slot)
      }
    if (over) return
    over = !parsing()
    for (const template of find(page, "template[data-mf-late]"))
      if (whole(template)) swap(template).catch(failed(page.body))
  }
  const watch = new MutationObserver((records) => {
    for (const { addedNodes } of records) for (const node of addedNodes) if (node.children) look(node)
    settle()
  })
  follow(page)
  settle()
  listen(page, "readystatechange", settle)

  // A frame tells how tall it is when that changes, and when it is asked to: it may have told before we listened.
  const frames = () => find(page, "[data-mf-slot]>iframe")
  for (const frame of frames()) frame.contentWindow.postMessage({ mf: 1 }, "*")
  listen(window, "message", ({ source, data }) => {
    for (const frame of frames())
      if (frame.contentWindow === source && data?.mf && data.height > 0)
        frame.style.height = Math.min(data.height, 2e4) + "px"
  })

  // What goes from page to page is a script of its own, for pages that say so.
  if (said.soft && window.navigation)
    import(own(said.soft)).then(({ listen }) => listen({ nodes, load, put, shell: said.shell }))
  fire(page, "ready")
})()
