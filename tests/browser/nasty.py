"""Answers as broken, or as clever, as a team could send: every way we know of in which markup reaches out of its place.

MARK stands for the mark of the slot the answer is put into, as if its author had guessed it. Documents drawn at random
are spliced of the same stuff.
"""

import random
import re
from dataclasses import dataclass

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    body: bytes
    content_type: str = HTML
    status: int = 200


def _html(**bodies: str) -> dict[str, Answer]:
    return {name.replace("_", "-"): Answer(body.encode()) for name, body in bodies.items()}


_UNCLOSED = _html(
    unclosed_div="<div><div><div>x",
    unclosed_b="<b>x",
    unclosed_a='<a href="/z">z',
    unclosed_p_in_p="<p>a<p>b",
    unclosed_table="<table><tr><td>x",
    unclosed_row="<tr><td>1",
    unclosed_cell="<td>1<td>2",
    unclosed_select="<select><option>x",
    unclosed_button="<button>x",
    unclosed_form="<form><input name=x>",
    unclosed_ul="<ul><li>x",
    unclosed_svg="<svg><g><path d=M0>",
    unclosed_math="<math><mrow><mi>x",
    unclosed_comment="<!--",
    unclosed_textarea="<textarea>",
    unclosed_title="<title>",
    unclosed_style="<style>b{",
    unclosed_script="<script>",
    unclosed_template="<template><div>",
    unclosed_object="<object><p>x",
    unclosed_iframe="<iframe>x</div>",
    unclosed_tag="<div class=a",
    unclosed_end_tag="<b>x</b",
    unclosed_video="<video><source src=x><track>y",
    unclosed_dialog="<dialog open>x<search>y<details open><summary>z",
    unclosed_custom="<x-card><x-head>x",
    attribute='<a href="',
    attribute_quote="<div title='x><p>y",
)
_END_TAGS = _html(
    end_tags="</div></div></section></main></body></html>x",
    end_p="</p></p>x",
    end_br="</br>x</br>",
    end_table="</td></tr></table>x",
    end_sections="</tbody></thead></tfoot></caption></colgroup>x",
    end_li="</li></ul></ol>x",
    end_dl="</dd></dt></dl>x",
    end_a="</a></b></form>x",
    end_formatting="</nobr></font></i></em></code>x",
    end_headings="</h1></h2></h6>x",
    end_form="</form><input name=late>",
    end_form_deep="<div></form><input name=late></div>",
    end_body="</body>x",
    end_html="x</html>y",
    end_head="</head><title>x</title><link rel=stylesheet href=/x>",
    end_template="</template></svg></select>x",
    end_select="</option></optgroup></select>x",
    end_foreign="</foreignObject></desc></svg></mtext></annotation-xml></math>x",
    end_barriers="</object></applet></marquee></button></summary></details></dialog></fieldset>x",
    end_ruby="</rt></rp></ruby>x",
    end_raw="</script></style></textarea></title></noscript></iframe></xmp></plaintext>x",
    end_slot="</mf-slot></section>x",
    end_nothing="</></ ></1>x",
    end_with_attributes="</div class=x></p/></b \"'>x",
)
_ANCESTORS = _html(
    form_in_form="<form><input name=x></form>",
    form_twice="<form><div></form><form><input name=x></div>",
    form_in_table="<table><form><tr><td><input name=x></table></form><input name=y>",
    li="<li>z",
    li_in_div="<div><li>z</div><li>y",
    dd="<dd>z<dt>y",
    dt_in_div="<div><dt>z</div><dd>y",
    anchors="<a>x<a>y<p><a>z",
    anchor_in_table="<table><tr><td><a>x</table><a>y",
    nobr="<nobr>a<nobr>b",
    button="<button>x<button>y<p><button>z",
    heading="<h1>a<h2>b",
    headings_closed="<h1>a</h2><h3>b</h1>",
    ruby="<ruby>a<rt>b<rp>c",
    ruby_bare="<rb>a<rtc>b<rt>c<rp>d",
    option="<option>x<optgroup label=a><option>y",
    optgroup="<optgroup label=a><option>b",
    blocks="<div>a</div><hr><ul></ul><pre>b</pre><center>c</center>",
    summary="<summary>x<details><summary>y",
    legend="<legend>x<fieldset><legend>y",
    label="<label>x<label>y",
    menu="<menu><li>x<menuitem label=y>z<dir><li>q",
)
_TABLES = _html(
    table_text="<table>x<b>y<tr><td>z",
    table_in_cell="<table><tr><td><table><tr><td></table></table></table>x",
    table_in_table="<table><table><tr><td>x",
    caption="<caption>x<tr>",
    caption_deep="<table><caption><p><table></caption><tr><td>x",
    col="<col><colgroup><col>",
    colgroup_text="<table><colgroup>x<col><template><col>",
    hidden_input="<input type=hidden><input>x",
    table_hidden_input="<table><input type=hidden><input><tr><td>x",
    table_select="<table><select><tr><td>x<option>y",
    table_svg="<table><svg><tr><desc><td></table>x",
    table_script="<table><style>b{}</style><script></script><tr>x",
    table_template="<template><table><tr><template><td>",
    table_formatting="<b><table><tr><td></b><i></table>x",
    table_anchor="<a><table><a><tr><td></a>x",
    row_closes="<tr></table><table></tr>x",
    bare_cells="<tbody><tr><th>x<td>y</tbody><tfoot><caption>z",
    old_doctype='<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML//EN"><p>x<table><tr><td>y',
    paragraph_table="<p>x<table><tr><td>y</table>z</p>",
)
_SELECTS = _html(
    select_in_select="<select><option>x<select><option>y",
    select_input="<select><option>x<input name=y>z",
    select_textarea="<select><textarea>x",
    select_table="<select><table><tr><td>x<option>y",
    select_button="<select><button><selectedcontent></selectedcontent></button><option><b>x</b><i>y",
    select_markup="<select><div><option><p>x<hr><optgroup><legend>y<option>z",
    select_svg="<select><svg><option><foreignObject><option>x",
    select_template="<select><template><option>x</select>y",
    select_script="<select><script></select></script><option>x</select>y",
    select_form="<select><form><input>x",
    selected_content="<selectedcontent>x<button><selectedcontent>y",
    option_closed="<option></select><option>x</option></option>",
    select_plaintext="<select><option><plaintext>x",
    select_li="<select><li>x<dd>y<a>z",
    datalist="<datalist><option>x<option>y</select>",
)
_RAW_TEXT = _html(
    xmp="<xmp>x</div>",
    noembed="<noembed>x",
    noframes="<noframes>x",
    plaintext="<plaintext>x",
    plaintext_in_table="<table><plaintext>x",
    plaintext_in_svg="<svg><plaintext>x<desc><plaintext>y",
    textarea_newlines="<textarea>\n\nx</textarea>",
    textarea_almost="<textarea></textarea x",
    title_text="<title></div><!--</title>x",
    style_almost="<style></style",
    style_comment="<style><!--</style>-->",
    style_css_comment="<style>/*</style>*/b{}</style>",
    style_media="<style media='\"></style><b>'>b{}</style>",
    pre="<pre>\n\nx</pre>",
    listing="<listing>\n\nx",
    script_text="<script>var a = '<b>';",
    script_comment="<script><!--<script></script>",
    script_escaped="<script><!-- <script> </script> --></script><b>x",
    script_letters="<SCRIPT><!--<sCript \n</sCRIPT\t>x",
    script_dashes="<script><!--<script>--></script></script>x",
    script_abrupt="<script><!--></script>x<script><!--<script/</script>y",
    script_json='<script type=application/json>{"a": "<!--<script>"}</script>x',
    script_template="<script type=text/template><!--<script><div></script>x",
    script_almost="<script></scripty></script",
    script_closed="<script/>x</script><style/>y</style><textarea/>z",
    module="<script type=module src=/m.js <b>'</script>x",
    module_mount='<script type=module mf-mount src="/a.js"></script><script type=module mf-mount src="/b.js">',
    import_map='<script type=importmap>{"imports":{"<\\/script><b>": "/x"}}</script>x',
)
_COMMENTS = _html(
    comment_abrupt="<!-->x",
    comment_abrupt_dash="<!--->x<!-- a -- b --->y",
    comment_bang="<!-- x --!> y",
    comment_nested="<!-- <!-- --> --> <!--<!---->x",
    comment_dash="<!-- x --",
    comment_conditional="<!--[if IE]><div><![endif]--><![if !IE]><div><![endif]>x",
    bogus_comment="<!x y",
    doctype_within="x<!doctype html SYSTEM 'y'>z<!ELEMENT a>",
    cdata="<![CDATA[x]]>y",
    cdata_in_svg="<svg><![CDATA[</svg><p>x]]></svg><![CDATA[y",
    cdata_unclosed="<svg><desc><![CDATA[<b></desc>",
    instruction='<?xml version="1.0"?><?php echo "a > b" ?>x',
    start_instruction='<?start name="s"?>x<?end?>',
    own_instructions='<?end?>x<?start name="mf-MARK"?>y<?end?><?marker name="mf-MARK"?>',
    percent="<%= '<div>' %><% if (a > b) { %>x",
    empty_names="<>x< p>y<1>z<<b>",
    names_in_names="<a<b>x<div<p>y<p/ =z>q<p \"'>r",
)
_NAMESPACES = _html(
    svg_breaks_out="<svg><g></div><p>x",
    svg_font="<svg><font><g></font><font color=red>x",
    svg_closed="<svg/>x<math/>y<svg><g/><path/></svg></svg>z",
    svg_style="<svg><style>&lt;!--</style><b>x",
    svg_style_end="<svg><style>&lt;/style>&lt;img src=x></style>x",
    svg_style_cdata="<svg><style><![CDATA[</style>]]><b>x",
    svg_script="<svg><script>&lt;!--&lt;script></script><b>x",
    svg_script_closed="<svg><script/><b>x</svg><script>y",
    svg_title="<svg><title><style></title><b></style>x",
    svg_desc="<svg><desc><table><tr><td></desc></svg>x",
    svg_in_svg="<svg><foreignObject><svg><foreignObject><p>x</svg>y",
    svg_select="<svg><desc><select><svg><option>x",
    svg_textarea="<svg><textarea><b>x</textarea></svg><textarea>&lt;/textarea>",
    svg_noscript="<svg><noscript><style>b</noscript></svg>x",
    svg_iframe="<svg><iframe><b></iframe><xmp><i></xmp></svg>x",
    svg_template="<svg><template><p>x</template></svg>y",
    svg_links='<svg><a href="/x"><a href="/y">z</svg><a>q',
    svg_attributes='<svg viewbox="0 0 1 1"><use xlink:href="#x" href="#y" xml:lang=a xmlns=b></svg>',
    svg_purified='<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">',
    svg_break_style='<svg></br><style><img title="</style><img>">x',
    foreign_object="<svg><foreignObject><div>x</svg>y",
    foreign_select="<svg><foreignObject></svg></foreignObject><select></svg>x",
    math="<math><mi>x<p>y",
    math_text="<math><mtext><p>x</math>y<mtext>",
    math_annotation='<math><annotation-xml encoding="text/html"><p>x</annotation-xml><p>y',
    math_annotation_svg="<math><annotation-xml><svg><p>x</math>y",
    math_semantics='<math><semantics><annotation-xml encoding="application/xhtml+xml"><form></math></form>x',
    math_malignmark="<math><mi><malignmark><p>x<mglyph></mi><b>y",
    math_style="<math><style><img title='</style><b>'></style></math>x",
    mglyph='<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x&gt;">',
    mglyph_form="<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    mglyph_style="<math><mtext><table><mglyph><style><math href=javascript:alert(1)>x</style></math>",
    mglyph_select="<math><mtext><select><mglyph><style></select><img src=x>",
    annotation_style='<svg><annotation-xml><foreignobject><style><!--</style><p id="--><img src=x>">',
    math_option="<math><mtext><option><mglyph><option><p>x",
)
_FORMATTING = _html(
    misnested="<b><p>x</b>y</p><i><div>z</i>",
    formatting="<b><i><u><s><tt><big><code><em>x",
    font_six="<font>" * 6 + "<p>x",
    agency="<a><b><div><a></b><p></a>x",
    agency_deep="<b>" + "<div>" * 12 + "</b>x",
    agency_button="<b><button></b><i></button>x",
    agency_heading="<i><h1></i><b></h1>x",
    agency_object="<b><object></b><i></object>x",
    agency_marquee="<b><marquee><p></b></marquee>x",
    formatting_foster="<table><b><tr><i><td></b>x</i></table></b>y",
    formatting_nobr="<nobr><div><nobr><p></nobr>x",
    formatting_across="<b>x</p><i>y</div></b>z",
)
_TEMPLATES = _html(
    template_rows="<template><tr><td>x",
    template_end="<template></div></template></template>x",
    template_nested="<template><template><template>x</template>y",
    template_cells="<template><td>x</td><p>y<tr>z</template><tr>",
    template_for='<template for="s">x</template>',
    template_for_own='<template for="mf-MARK" data-mf-late="MARK"><b>x</b></template>',
    template_for_inside='<div><template><template for="mf-MARK">x</template></template></div>',
    template_slot='<template mf-slot="q">x</template>',
    shadow='<template shadowrootmode="open"><p>x</template>y',
    shadow_closed='<template shadowrootmode="closed" shadowrootclonable><slot></slot></template>y',
    shadow_twice="<template shadowrootmode=open>x</template><template shadowrootmode=open>y</template>",
    shadow_within="<div><template shadowrootmode=open><style>p{}</style><slot></div></template>x",
    shadow_in_p="<p><template shadowrootmode=open><p>x</template></p><span><template shadowrootmode=open>y",
    shadow_in_row="<tr><template shadowrootmode=open><td>x</template><td>y",
    slot_element='<slot name="x">y<slot>z',
)
_NOSCRIPTS = _html(
    noscript="<noscript><div></noscript>",
    noscript_comment="<noscript><!--</noscript>-->x",
    noscript_attribute='<noscript><p title="</noscript><div>">x',
    noscript_style="<noscript><style></noscript></style>x",
    noscript_textarea="<noscript><textarea></noscript></textarea>x",
    noscript_iframe="<noscript><iframe></noscript></iframe>x",
    noscript_template="<noscript><template></noscript></template>x",
    noscript_table="<noscript><table><tr><td></noscript>x",
    noscript_plaintext="<noscript><plaintext></noscript>x",
    noscript_script="<noscript><script><!--<script></noscript>x",
    noscript_nested="<noscript><noscript></noscript></noscript>x",
    noscript_li="<noscript><li>x<dd>y</noscript>z",
    noscript_form="<noscript></form><form></noscript>x",
    noscript_a="<noscript><a>x<button>y<p>z</noscript>",
    noscript_select="<noscript><select><option></noscript></select>x",
    noscript_svg="<noscript><svg><style></noscript>x",
    noscript_ends="<noscript></div></p></body></mf-slot></noscript>x",
    noscript_entities="<noscript>&lt;/noscript&gt;&lt;div&gt;</noscript>x",
    noscript_in_template="<template><noscript><div></noscript></template>x",
    noscript_head="<noscript><link rel=stylesheet href=/x><meta charset=x><title>y</noscript>",
    noscript_unclosed="<noscript><p>x",
)
_DOCUMENTS = _html(
    html_tag='<html class="evil" id=e onclick=x><body class="b" style="color:red">x',
    html_late="<p>x</p><html lang=xx data-a=b><body onload=y class=z>q",
    frameset="<frameset><frame src=x>",
    frameset_late="<html><frameset cols=*><frame></frameset><noframes>x",
    frame="x<frame src=y>z",
    head_tags='<head><title>T</title><base href="/evil/"><meta http-equiv=refresh content="0;url=/x"></head>x',
    head_late="<p>x<head><base target=_blank><title>T</title></head><meta name=robots content=none>y",
    metas="<meta charset=utf-16><meta name=viewport content=x><meta http-equiv=Content-Security-Policy content=y>z",
    rules='<script type=speculationrules>{"prefetch": []}</script><link rel=canonical href=/x>',
    document="<!doctype html><html lang=de class=k><head><title>t</title></head><body class=b><p>x",
    documents="<!doctype html><title>a</title><body>x<!doctype html><html><head><title>b</title><body>y",
    after_body="<html><body>x</body></html><p>y<!-- z --><table>",
    xhtml='<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN"><html xmlns=x><body/><p/>x',
)
_OURS = _html(
    own_marker='<mf-slot name="x" data-mf-slot="MARK"></mf-slot></mf-slot>x',
    markers="<!--/mf:MARK-->x<!--mf:MARK--><!--mf:slot name=q-->",
    guard_marks="<!--(MARK-->x<!--)MARK-->y<!--",
    own_attributes='<p data-mf-slot="MARK" data-mf-lazy="/x" data-mf-module="/y" data-mf-runtime>x',
    own_tags_in_values='<p title="</mf-slot><!--/mf:MARK--></template></section><?end?>">x',
    own_slots='<mf-slot name="hotels.deals">a<mf-slot/>b',
    other_dialects='<esi:include src="/x"/><esi:remove>a<!--#include virtual="/y" --><fragment src="/z">b',
)
_OLD_AND_NEW = _html(
    image="<image src=x><isindex prompt=y>",
    keygen="<keygen name=x>y<menuitem>z<command>q",
    nextid="<nextid n=1><spacer>x<basefont size=9><bgsound src=y>",
    applet="<applet code=x><param name=y>z</object>",
    marquee="<marquee><p>x<blink><multicol>y</div>",
    dir="<dir><li>x<dir><li>y",
    search="<search><form><p>x",
    dialog="<dialog open><form method=dialog><button>x",
    popover="<button popovertarget=p>x<div popover id=p><p>y",
    details="<details name=d open><summary>x<details name=d open>y",
    fenced="<fencedframe><portal>x<object data=y><embed src=z>",
    is_attribute="<button is=x-y>z<ul is=a-b><li is=c-d>",
    custom_closed="<x-y/>a<div/>b<p/>c<a/>d<br></br>e",
    srcdoc="<iframe srcdoc=\"</iframe><script>parent.document.body.innerHTML=''\"></iframe>",
    duplicates="<div id=a id=b class=c CLASS=d title='e' title=\"</div>\">x",
    odd_names='<link rel=stylesheet href=/x <b "c =d \'e><p <i "=1>x',
    namespaced_names="<p xmlns:x=y x:z=1 @click=a :b=c #d [e]=f (g)=h *i=j>k<svg:rect><o:p>l",
    values_with_tags="<img alt=\"</textarea></script></style></title>--><p>\" title='&lt;b&gt;'>x",
    many_attributes="<div " + " ".join(f"a{n}" for n in range(3000)) + ">x",
)
_CHARACTERS = {
    **_html(
        null="a\0b<\0p>c",
        null_everywhere="<p\0q r\0s='\0'>\0<!--\0--><svg>\0<table>\0<tr>\0<textarea>\0",
        byte_order_mark="\ufeff<p>x\ufeff<title>\ufeff",
        carriage_returns="<p title='a\r\nb\rc'>d\r\ne\rf<pre>\r\n\r\ng<textarea>\r\rh",
        carriage_references="<pre>&#13;&#10;x</pre><p title='&#13;'>&#13;y<textarea>&#13;&#10;</textarea>",
        references="&#0;&#x80;&#xD800;&#x110000;&notit;&amp;lt;&lt;p&gt;&ltp&copy=x<p title='&lt=x&lt;'>",
        form_feeds="<p\fclass=a\x0b>x<div\f/\x1c>y",
        noncharacters="<p>\ufffe\uffff\U0001fffe\u2028\u2029\u0085\u00a0x\x7f\x80",
        upper="<DIV><TABLE><TR><TD>x<SELECT><OPTION>y</SELECT></tAbLe><sVg><FOREIGNOBJECT><P>z",
        kelvin="<scr\u0130pt>x<lin\u212a><\u017ftyle>y<\uff1cscript>z",
    ),
    "wrong-charset": Answer("<p>Привет</p><b>".encode("cp1251")),
    "declared-charset": Answer("<meta charset=windows-1251><p>Привет<b>".encode("cp1251"), "text/html"),
    "utf-16": Answer("<p>x<b>".encode("utf-16")),
    "utf-7": Answer(b"+ADw-script+AD4-x+ADw-/script+AD4-<p>y", "text/html; charset=utf-7"),
    "iso-2022-jp": Answer(b"<p title='\x1b$B'><div>\x1b(B\x1b(Jx~\\<b>", "text/html; charset=iso-2022-jp"),
    "shift-jis": Answer(b"<p title=\"\x83\">\x81<div class='\xe0'>x", "text/html; charset=shift_jis"),
    "gb18030": Answer(b"<p title='\x81'>\x81\x30\x81<b>x\xfe\xfe<i>", "text/html; charset=gbk"),
    "overlong": Answer(b"\xc0\xbcscript\xc0\xbe<p>\xed\xa0\x80\xf4\x90\x80\x80<b>\xe2<"),
    "gzip-garbage": Answer(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" + bytes(range(256)) * 4),
    "every-byte": Answer(b"<p>" + bytes(range(32, 256)) + b"<b>" + bytes(range(256)), "text/html; charset=latin1"),
}
_LARGE = _html(
    deep="<div>" * 200_000,
    deep_allowed="<div>" * 250 + "<li><p><a>x",
    deep_spans="<span>" * 240 + "<p>x</p>",
    deep_b="<b>" * 60 + "x",
    deep_tables="<table><tr><td>" * 70 + "x</table><p>y",
    deep_templates="<template>" * 200 + "x</template>",
    deep_svg="<svg><desc>" * 90 + "<p>x</svg>",
    deep_select="<select><div>" * 100 + "<option>x",
    deep_shadow="<div><template shadowrootmode=open>" * 60 + "x",
    amplify="".join(f"<b x{n}>" for n in range(600)) + "<p>" * 2000,
    amplify_below="".join(f"<b x{n}>" for n in range(60)) + "<p>x</p>" * 200,
    amplify_tables="".join(f"<i x{n}>" for n in range(40)) + "<table><tr><td>x</table>" * 60,
    hidden_depth="<svg></div><style>" + "<g>" * 100_000,
    hidden_noscript="<noscript>" + "<div>" * 3000 + "</noscript>x",
    megabyte_of_comments="<!--" * 260_000,
    long_attribute=f"<p title='{'<div>' * 20_000}'>x<b>",
)
_NO_CONTENT = {
    **_html(good="<p>Hello <b>you</b></p>", empty="", blank=" \n\t "),
    "json": Answer(b'{"a": "<div>"}', "application/json"),
    "text": Answer(b"<div>", "text/plain"),
    "no-content": Answer(b"", status=204),
    "redirect": Answer(b"<a href=/x>moved", status=302),
    "server-error": Answer(b"<h1>oh", status=500),
}

WHOLE = "no piece, or a good one"
KINDS: dict[str, dict[str, Answer]] = {
    "not closed": _UNCLOSED,
    "end tags of others": _END_TAGS,
    "closing what is around": _ANCESTORS,
    "tables and fostering": _TABLES,
    "selects": _SELECTS,
    "text that is not markup": _RAW_TEXT,
    "comments and instructions": _COMMENTS,
    "namespaces": _NAMESPACES,
    "misnested formatting": _FORMATTING,
    "templates and shadow roots": _TEMPLATES,
    "noscript": _NOSCRIPTS,
    "documents": _DOCUMENTS,
    "what is ours": _OURS,
    "old, new and odd": _OLD_AND_NEW,
    "characters": _CHARACTERS,
    "large": _LARGE,
    WHOLE: _NO_CONTENT,
}
ANSWERS: dict[str, Answer] = {name: answer for kind in KINDS.values() for name, answer in kind.items()}


# ---- At random ------------------------------------------------------------------------------------------------------

_SHORT = 400  # bytes; the large ones stay what they are
_TOKEN = re.compile(rb"<[^<>]*>?|[^<]+")
_TOKENS = sorted({token for each in ANSWERS.values() if len(each.body) < _SHORT for token in _TOKEN.findall(each.body)})
_WHOLE = sorted({each.body for each in ANSWERS.values() if 0 < len(each.body) < _SHORT})


def drawn(number: int, seed: int) -> list[Answer]:
    """Documents of spliced tokens, the same ones for the same seed."""
    dice = random.Random(seed)
    return [Answer(_spliced(dice)) for _ in range(number)]


def _spliced(dice: random.Random) -> bytes:
    parts = [dice.choice(_TOKENS) for _ in range(dice.randint(1, 14))]
    if dice.random() < 0.3:
        parts.insert(dice.randint(0, len(parts)), dice.choice(_WHOLE))
    body = b"".join(parts)
    return body[: dice.randint(1, len(body))] if dice.random() < 0.2 else body


_TAGS = (
    "a address annotation-xml applet b br button caption center col colgroup dd desc details dialog div dl dt em "
    "fieldset font foreignObject form g h1 h2 hr i iframe img input label li main math mi mtext nobr noscript object "
    "optgroup option p pre rp rt ruby section select span style summary svg table tbody td template textarea th title "
    "tr ul x-y"
)


# What leaves formatting behind that nothing around tells of, and where that matters.
_REMAINS = (
    "<select> <select> </select> <option> </option> <optgroup> <button> </button> <svg> <svg> </svg> <svg><desc> "
    "<desc> </desc> <g> </g> <foreignObject> </foreignObject> <svg><title> </title> <math><mtext> <math> <mrow> "
    "</mtext> </math> <mi> </mi> <annotation-xml> <p><b>x</p> <p><b>x</p> <p><a><nobr>x</p> <p><b>x<b>y</p> <p><i>x "
    "<b> </b> <div><b>x</div> <h1><font><u>x</h1> </p> <div> </div> <dt> <li> <table> <tr> <td> </td> </tr> "
    "</table> <caption> <table><tbody> <colgroup> <object> </object> <template> </template> <ruby> <rt> x <form> "
    "</form> <selectedcontent> <noscript> <noscript> </noscript> </noscript>"
)


def remains(dice: random.Random, most: int) -> str:
    return "".join(dice.choices(_REMAINS.split(), k=dice.randint(0, most)))


def spliced_tags(dice: random.Random, most: int) -> str:
    """A part of a page nobody would write: tags that open and close nothing in particular."""
    return "".join(
        dice.choices((f"<{name}>", f"</{name}>", "x"), (5, 2, 1))[0]
        for name in dice.choices(_TAGS.split(), k=dice.randint(0, most))
    )
