// The runtime of a page below a prefix: what its scripts ask for, lead to or keep is put below the prefix as it
// happens. It edits no script, and on any error of its own hands on what came.
// What loads is mapped when it is set; what only leads somewhere (links, forms) when it is followed, so that a router
// reads its links as it wrote them.
// Viewers get `mount.min.js`, which `./dev small` makes of this.
(() => {
  const mark = Symbol.for("portico")
  const said = { ...document.currentScript.dataset }
  const home = location
  const attempt = (act) => {
    try {
      return act()
    } catch {}
  }
  // Loaded twice is loaded once; a frame's own page that begins in a window patched while blank says where it is.
  if (window[mark]) return Object.assign(window[mark], said)
  // For whoever looks for a fault in a page: `sessionStorage.portico = "off"`.
  if (attempt(() => sessionStorage.portico)) return

  const wear = (realm, place) => {
    realm[mark] = place
    const page = realm.document
    const bar = realm.location
    const later = realm.setTimeout.bind(realm)
    const replace = realm.history.replaceState.bind(realm.history)
    const listen = (words, act, early) => words.split(" ").forEach((word) => realm.addEventListener(word, act, early))

    // Where a URL belongs: the rules of fragments/urls.py, with the URL parser of the browser.
    const inside = (path, prefix) => path === prefix || path.startsWith(prefix + "/")
    const own = (path) => inside(path, place.prefix)
    const stands = (path) => place.stays.split(" ").some((prefix) => inside(path, prefix))
    const strip = (path) => own(path) ? path.slice(place.prefix.length) || "/" : path
    const resolved = (text, base = page.baseURI) => new URL(text, base)
    const below = (value) => {
      const text = value?.href ?? value
      if (typeof text !== "string" || /^\s*(#|$)/.test(text)) return value
      const found = resolved(text)
      if (found.host !== home.host || !/^(http|ws)/.test(found.protocol) || stands(found.pathname)) return value
      // Relative to where the application believes its page to be: what climbs too high stops at its root.
      const base = resolved("")
      base.pathname = strip(base.pathname)
      const right = resolved(text, base)
      right.pathname = place.prefix + right.pathname
      const short = place.prefix + text
      return resolved(short).href === right.href ? short : right.href
    }
    const mapped = (text) => attempt(() => below(text)) ?? text
    const candidates = (text) => text.replace(/((?:^|,)\s*)([^\s,]\S*)/g, (all, before, each) => before + mapped(each))
    // A token at a time: comments and strings are passed over, and only a whole URL is replaced.
    const sheet = (text) =>
      text.replace(
        /\/\*[^]*?(?:\*\/|$)|(@import\s+["']|url\(\s*["']?)((?:\\[^]|[^\\"')])*)(["']?)|(["'])(?:\\[^]|(?!\4)[^\\])*(?:\4|$)/gi,
        (all, before, each, after) => before ? before + mapped(each) + after : all
      )

    // Functions, constructors and setters have their arguments changed first; what `change` returns sees the result.
    const alter = (words, change, part = "value") =>
      words.split(" ").forEach((word) => {
        const [member, type] = word.split(".").reverse()
        const owner = type ? realm[type]?.prototype : realm
        const was = owner && Object.getOwnPropertyDescriptor(owner, member)
        const native = was?.[part]
        if (!native) return
        const around = (args, self, target) => {
          const then = attempt(() => change(args, self, member))
          const result = target ? Reflect.construct(native, args, target) : Reflect.apply(native, self, args)
          return then ? attempt(() => then(result)) ?? result : result
        }
        const proxy = new Proxy(native, {
          apply: (via, self, args) => around(args, self),
          construct: (via, args, target) => around(args, via, target),
        })
        if (native.prototype?.constructor === native) native.prototype.constructor = proxy
        Object.defineProperty(owner, member, { ...was, [part]: proxy })
      })
    const nth = (at, change = below) => (args, self, member) => {
      args[at] &&= change(args[at], self, args[at - 1] ?? member)
    }

    // What asks.
    alter(
      "fetch open Request WebSocket EventSource Worker SharedWorker " +
        "Navigator.sendBeacon Navigation.navigate ServiceWorkerContainer.register",
      nth(0)
    )
    alter("XMLHttpRequest.open Navigator.registerProtocolHandler", nth(1))
    alter("ServiceWorkerContainer.register", (args) => {
      args[1] = { ...args[1], scope: below(args[1].scope) }
    })

    // What loads when it is set. A piece of another team is right as it came.
    const piece = "[data-mf-slot]"
    const attribute = (value, element, word) => {
      const named = element.localName + " " + word.toLowerCase()
      const change = /^(?!a |area |\S+-)\S+ (src|(xlink:)?href|poster)$|^object data$/.test(named)
        ? below
        : / (image)?srcset$/.test(named)
          ? candidates
          : / style$/.test(named) && sheet
      return change && !element.closest(piece) ? change(value) : value
    }
    alter("Element.setAttribute", nth(1, attribute))
    alter("Element.setAttributeNS", nth(2, attribute))
    for (const type of Object.getOwnPropertyNames(realm))
      if (/Element$/.test(type))
        alter("src href data poster srcset imageSrcset".replace(/\w+/g, type + ".$&"), nth(0, attribute), "set")
    alter(
      "CSSStyleSheet.insertRule CSSStyleSheet.replace CSSStyleSheet.replaceSync CSSGroupingRule.insertRule",
      nth(0, sheet)
    )

    // Markup goes in as it came; what it made is mended at once, before anything of it has begun to load.
    const mend = (root) => {
      if (root.querySelectorAll)
        [root, ...root.querySelectorAll("*")].forEach((element) => attempt(() => mendOne(element)))
    }
    const mendOne = (element) => {
      const kind = element.localName
      const right = (owner, key, word) => {
        const value = attribute(owner[key], element, word)
        if (value !== owner[key]) owner[key] = value
      }
      element.contentWindow
      if (kind === "template") mend(element.content)
      if (kind === "style") right(element, "textContent", kind)
      if (kind !== "script")
        for (const each of element.attributes)
          // The style attribute may be forbidden by the page's policy, the object model never is.
          each.name === "style" ? right(element.style, "cssText", each.name) : right(each, "value", each.name)
    }
    const mendAll = (records) => {
      const roots = new Set(records.flatMap((record) => [...record.addedNodes]))
      roots.forEach((root) => {
        if (!roots.has(root.parentNode)) mend(root)
        if (/^(?!s[ct]|link|me|un)/.test(root.localName)) arrived()
      })
      records.forEach((record) => attempt(() => mendOne(record.target)))
    }
    const watched = (args, self) => {
      const watch = new realm.MutationObserver(() => {})
      watch.observe(self.content || self.parentNode || self, { childList: true, subtree: true })
      return () => mendAll(watch.takeRecords(), watch.disconnect())
    }
    alter("Element.innerHTML Element.outerHTML ShadowRoot.innerHTML", watched, "set")
    alter("Element.insertAdjacentHTML Document.write", watched)
    alter("Range.createContextualFragment", () => mend)

    // Frames without a page of their own: asking for their window is enough.
    const enter = (inner) => {
      if (!inner[mark] && /^a\S+ (a|$)/.test(inner.location + " " + inner.frameElement.src))
        wear(inner, { ...place, router: "" })
    }
    alter("HTMLIFrameElement.contentWindow", () => enter, "get")
    page.addEventListener("load", (event) => event.target.contentWindow, true)

    // What leads somewhere, when it is followed.
    const lead = (element, word) => {
      const value = element?.getAttribute?.(word)
      if (value && mapped(value) !== value) element.setAttribute(word, mapped(value))
    }
    listen("click auxclick contextmenu submit", (event) => {
      if (event.defaultPrevented || event.composedPath().some((node) => node.matches?.(piece))) return
      lead(event.composedPath().find((node) => /^(a|area)$/.test(node.localName)), "href")
      lead(event.target, "action")
      lead(event.submitter, "formaction")
    })
    alter("HTMLFormElement.submit", (args, self) => lead(self, "action"))
    realm.navigation?.addEventListener("navigate", (event) => {
      const { url, sameDocument } = event.destination
      const right = mapped(url)
      if (right === url || sameDocument || event.formData || !event.cancelable) return
      if (event.sourceElement?.closest(piece)) return
      event.preventDefault()
      bar[event.navigationType === "push" ? "assign" : "replace"](right)
    })

    // The address. A router that knows no prefix reads `location` when it starts, when it is told of a move, and right
    // after it made one: for so long the address is the one it expects, and the public one the rest of the time.
    let flipped, flipping, booting
    let ending, since
    let awaited = 0
    const address = (path, found) => home.origin + path + found.search + found.hash
    const turn = (path) => attempt(() => replace(realm.history.state, "", address(path, bar)))
    const flip = () => {
      if (!flipping || !own(bar.pathname)) return
      flipped = true
      turn(strip(bar.pathname))
    }
    const restore = () => {
      if (flipped) turn(place.prefix + bar.pathname)
      flipped = false
    }
    const settle = () => booting || later(restore)
    const end = () => restore((booting = false))
    // The first thing shown, or the first address written, tells that the router runs, if nothing is waited for.
    // More of them put the end off, for a second: some pages never stop showing things.
    const arrived = () => {
      realm.clearTimeout(ending)
      since ??= Date.now()
      if (booting) ending = later(() => awaited || end(), Date.now() - since < 1000 ? 150 : 0)
    }
    const answered = () => arrived(awaited--)
    alter("fetch", () => booting && ++awaited && ((answer) => void answer.then(answered, answered)))
    alter("XMLHttpRequest.send", (args, self) => booting && ++awaited && self.addEventListener("loadend", answered))
    const begin = () => {
      flipping = booting = true
      flip()
      listen("load", () => later(end, 4000))
    }
    const moved = (push) => (args) => {
      const before = flipped
      if (push) restore()
      arrived()
      if (args[2] == null) return () => void (before && flip())
      const right = resolved(below(args[2]))
      const turned = flipping && own(right.pathname)
      args[2] = turned ? address(strip(right.pathname), right) : right.href
      return () => void (turned && settle((flipped = true)))
    }
    alter("History.pushState", moved(true))
    alter("History.replaceState", moved())
    listen("popstate hashchange", () => settle(flip()), true)
    // Built for the root and untouched: nothing in the page but a script, and what is shown its router decides.
    const untouched = () =>
      page.querySelector("html:not(:has(base)) script[src^='/']:is([type=module],[defer])") &&
      !page.body.innerText.trim()
    if (place.router === "flip") begin()
    const parsed = () => {
      new realm.MutationObserver(mendAll).observe(page, { childList: true, subtree: true, attributeFilter: ["style"] })
      if (place.router === "auto" && attempt(untouched)) begin()
    }
    // Before any deferred or module script runs.
    page.addEventListener("readystatechange", parsed, { once: true })

    // Cookies: the names of rules/cookies.py.
    const reserved = (text) => /^__(host|secure|http|host-http)-/i.test(text)
    const shared = (text) => place.cookies.split(" ").includes(text.split("=")[0] + "=")
    const renamed = (text) => shared(text) ? text : (reserved(text) ? "__Secure-" : "") + "mf." + place.tag + "." + text
    const original = (text) => {
      const [all, secure, tag, rest] = /^(__Secure-)?mf\.([0-9a-f]{8})\.(.*)/.exec(text) || []
      if (all) return tag === place.tag && reserved(rest) === !!secure ? [rest.replace(/^=/, "")] : []
      return shared(text) ? [text] : []
    }
    const put = (path) => own(path) ? path : place.prefix + path.replace(/^\/$/, "")
    alter("Document.cookie", () => (text) => text.split("; ").flatMap(original).join("; "), "get")
    const cookie = (text) =>
      text
        .replace(
          /^\s*(?:([^=;]*?)\s*=)?([^;]*)/,
          (all, word = "", value) => renamed(word) + "=" + value + (flipped || shared(word) ? ";path=" + place.prefix : "")
        )
        .replace(/;\s*domain\s*=[^;]*/gi, "")
        .replace(/;\s*path\s*=\s*(\/[^;]*)/gi, (all, path) => ";path=" + put(path))
    alter("Document.cookie", nth(0, cookie), "set")
    const kept = (item) => original(item.name).map((text) => ({ ...item, name: text }))
    alter("CookieStore.get CookieStore.getAll CookieStore.set CookieStore.delete", (args) => {
      const { domain, ...item } = args[0]?.name ? args[0] : { name: args[0], value: args[1] }
      if (item.name?.slice) args.splice(0, 2, { ...item, name: renamed(item.name), path: put(item.path || "/") })
      return (result) => result.then((found) => found && (found.map ? found.flatMap(kept) : kept(found)[0] || null))
    })
  }
  attempt(() => wear(window, said))
})()
