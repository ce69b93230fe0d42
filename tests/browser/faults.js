// What accessibility rules find on the page as it is. Runs where axe has been loaded.
//
// Weighing colours takes most of axe's time, and comes to the same for every text with the same
// colour, size and weight over the same backgrounds. So a text is not weighed again where one of
// its likeness has passed, on this page or on an earlier one: `passed` names those likenesses.
// Half of what is left goes into measuring how large each target is. Only those can be too small
// that are less than 24 px high or wide, or that something else to click lies over.
async ({ rules, passed }) => {
  const styles = new Map();
  const styleOf = (element) => {
    if (!styles.has(element)) styles.set(element, getComputedStyle(element));
    return styles.get(element);
  };

  const NOTHING = "rgba(0, 0, 0, 0) none 1 none normal";
  const paints = new Map();
  const paintOf = (element) => {
    if (!paints.has(element)) {
      const { backgroundColor, backgroundImage, opacity, filter, mixBlendMode } = styleOf(element);
      const paint = [backgroundColor, backgroundImage, opacity, filter, mixBlendMode].join(" ");
      paints.set(element, paint === NOTHING ? "" : paint);
    }
    return paints.get(element);
  };

  const isTyped = (element) => element.matches("input, select, textarea");
  const textsIn = (element) =>
    [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const hasText = (element) => isTyped(element) || textsIn(element).length > 0;

  const boxesOf = (element) => {
    if (isTyped(element)) return [element.getBoundingClientRect()];
    return textsIn(element).flatMap((text) => {
      const range = document.createRange();
      range.selectNodeContents(text);
      return [...range.getClientRects()];
    });
  };

  const all = [...document.querySelectorAll("body, body *")];
  // `elementsFromPoint` does not see them.
  const untouchable = all
    .filter((element) => styleOf(element).pointerEvents === "none" && paintOf(element))
    .map((element) => {
      const { left, right, top, bottom } = element.getBoundingClientRect();
      return { left, right, top, bottom, paint: paintOf(element) };
    });

  const within = (box, x, y) =>
    box.left <= x && x <= box.right && box.top <= y && y <= box.bottom;
  const stackAt = (element, x, y) => [
    ...document.elementsFromPoint(x, y).map((each) => paintOf(each) + (each === element ? "*" : "")),
    ...untouchable.filter((box) => within(box, x, y)).map((box) => box.paint),
  ].filter(Boolean).join("|");

  const hash = (words) => {
    let [one, other] = [0xdeadbeef, 0x41c6ce57];
    for (let at = 0; at < words.length; at++) {
      one = Math.imul(one ^ words.charCodeAt(at), 2654435761);
      other = Math.imul(other ^ words.charCodeAt(at), 1597334677);
    }
    return `${(one >>> 0).toString(36)}-${(other >>> 0).toString(36)}`;
  };

  // All that the contrast of a text depends on.
  const likenessOf = (element) => {
    const style = styleOf(element);
    const points = Math.ceil(parseFloat(style.fontSize) * 72) / 96;
    const isBold = parseInt(style.fontWeight, 10) >= 700;
    const own = [
      style.color, points < (isBold ? 14 : 18) ? "small" : "large", style.textShadow,
      style.webkitTextFillColor, style.webkitTextStroke,
    ];
    const above = [];
    for (let each = element; each; each = each.parentElement) above.push(paintOf(each));
    const stacks = new Set(
      boxesOf(element).map((box) => stackAt(element, box.x + box.width / 2, box.y + box.height / 2))
    );
    return hash([own.join(" "), above.filter(Boolean).join("|"), ...[...stacks].sort()].join("\n"));
  };

  const LEAST = 24;
  const targets = [...document.querySelectorAll(
    "a[href], area[href], button, input:not([type=hidden]), select, textarea, summary, [role][tabindex]"
  )]
    .filter((element) => element.checkVisibility({ visibilityProperty: true }))
    .map((element) => ({ element, box: element.getBoundingClientRect() }));
  const overlap = (one, other) =>
    one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
  const doubtful = targets
    .filter(({ element, box }) =>
      box.width < LEAST || box.height < LEAST ||
      targets.some((other) => other.element !== element && overlap(box, other.box)))
    .map(({ element }) => element);

  const known = new Set(passed);
  const likenesses = new Map();
  for (const element of all) {
    if (!hasText(element) || !element.checkVisibility({ visibilityProperty: true })) continue;
    const likeness = likenessOf(element);
    if (!known.has(likeness)) likenesses.set(element, likeness);
  }

  const contrast = "color-contrast";
  const size = "target-size";
  const off = { enabled: false };
  const { violations } = await axe.run(document, {
    ...rules, rules: { [contrast]: off, [size]: off }, resultTypes: ["violations"],
  });
  if (doubtful.length > 0) {
    const measured = await axe.run({ include: doubtful }, { runOnly: [size], resultTypes: ["violations"] });
    violations.push(...measured.violations);
  }
  if (likenesses.size === 0) return { violations, passed: [] };
  const weighed = await axe.run(
    { include: [...likenesses.keys()] },
    { runOnly: [contrast], elementRef: true },
  );
  const passes = weighed.passes.flatMap((rule) => rule.nodes.map((node) => node.element));
  const without = ({ element, ...node }) => node;
  const failed = weighed.violations.map((rule) => ({ ...rule, nodes: rule.nodes.map(without) }));
  return {
    violations: [...violations, ...failed],
    passed: [...new Set(passes.map((element) => likenesses.get(element)).filter(Boolean))],
  };
}
