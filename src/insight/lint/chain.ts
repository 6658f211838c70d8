/** Which plugins of a block a query can reach, and where the order in the file misleads. */
import type { Directive } from '../../dns/corefile/types.ts';
import { isInZone, zonesOfWords } from '../../dns/plugins/zones.ts';
import { finding, type LintFinding } from './finding.ts';
import { type BlockModel, blockText, directivesNamed, effectiveZones, linesNamed, runsAt, zoneText } from './model.ts';

/** A plugin that answers for names, and what it leaves to those behind it. */
interface Answering {
  readonly directive: Directive;
  readonly zones: readonly string[];
  /** It takes every query of its zones, but those of `through` and `except`. */
  readonly whole: boolean;
  readonly through: readonly string[];
  readonly except: readonly string[];
}

const answerers = new Set(['template', 'hosts', 'k8s_external', 'kubernetes', 'file', 'forward', 'erratic', 'whoami']);
/** Plugins that answer some names of their own. */
const sometimes = new Set(['local', 'any', 'chaos', 'acl']);

/** Zones of lines like `fallthrough [ZONES]`; without zones all. Words that are none are the setup's to refuse. */
function zonesIn(directive: Directive, name: string, whenBare: readonly string[]): string[] {
  return linesNamed(directive, name).flatMap((line) => {
    const words = line.args.filter((word) => /^[\w.*/:-]+$/.test(word));
    if (words.length === 0) return [...whenBare];
    try {
      return zonesOfWords(line, words);
    } catch {
      // refusedOptions tells it.
      return [...whenBare];
    }
  });
}

const matchesSome = (directive: Directive): boolean =>
  linesNamed(directive, 'match').length > 0 || linesNamed(directive, 'expr').length > 0;

function answeringOf(directive: Directive, block: BlockModel): Answering {
  const zones = effectiveZones(directive, block);
  const all = { directive, zones, whole: true, through: [], except: [] };
  if (directive.name === 'template') {
    const [className = '', type = ''] = directive.args.map((word) => word.toUpperCase());
    const whole = type === 'ANY' && (className === 'ANY' || className === 'IN');
    const through = matchesSome(directive) ? zonesIn(directive, 'fallthrough', ['.']) : [];
    return { ...all, whole, through };
  }
  if (directive.name === 'forward') {
    const next = [...linesNamed(directive, 'next'), ...linesNamed(directive, 'next_on_nodata')];
    return { ...all, except: zonesIn(directive, 'except', []), through: next.length > 0 ? ['.'] : [] };
  }
  return { ...all, through: zonesIn(directive, 'fallthrough', ['.']) };
}

const touches = (zone: string, other: string): boolean => isInZone(zone, other) || isInZone(other, zone);

/** The plugin leaves nothing of a zone to those behind it. */
function takesAll({ whole, zones, through, except }: Answering, zone: string): boolean {
  const some = (list: readonly string[]) => list.some((other) => touches(zone, other));
  return whole && zones.some((own) => isInZone(zone, own)) && !some(through) && !some(except);
}

const reasons: Readonly<Record<string, string>> = {
  hosts: 'A name that is not in the hosts file is answered with SERVFAIL',
  template: 'The template answers every name of its zones',
  forward: 'Every query of its zones is forwarded',
};

/** Plugins behind one that takes everything from them. */
export function hiddenPlugins(block: BlockModel): LintFinding[] {
  const chain = block.running.filter(({ name }) => answerers.has(name)).map((one) => answeringOf(one, block));
  return chain.flatMap((later, i) => {
    const before = chain.slice(0, i);
    if (later.zones.length === 0) return [];
    const hiders = later.zones.map((zone) => before.find((earlier) => takesAll(earlier, zone)));
    const [hider] = hiders;
    if (!hider || hiders.includes(undefined)) return [];
    const { name, position } = hider.directive;
    const why = reasons[name] ?? 'A name of its zones that it does not have is denied';
    const isForward = name === 'forward' && later.directive.name === 'forward';
    return finding(
      'FW4140',
      later.directive,
      `${later.directive.name} for ${zoneText(later.zones)} never gets a query: ${name} in line ${position.line} runs before it and takes them all`,
      {
        why: `${why}, so that nothing is left for ${later.directive.name}.`,
        ...(isForward && { hint: 'Put the forward with the longer zone first; several run in the order of the file.' }),
      },
    );
  });
}

/** A template with a pattern and without fallthrough: SERVFAIL for whatever it does not match. */
export function failingTemplates(block: BlockModel): LintFinding[] {
  const behind = (template: Directive) =>
    block.running.filter((other) => answerers.has(other.name) && runsAt(other.name) > runsAt(template.name));
  return directivesNamed(block, 'template').flatMap((directive) => {
    if (!matchesSome(directive) || linesNamed(directive, 'fallthrough').length > 0) return [];
    const zones = effectiveZones(directive, block);
    const victim = behind(directive).find((other) =>
      effectiveZones(other, block).some((a) => zones.some((b) => touches(a, b))),
    );
    if (!victim) return [];
    const [, type = ''] = directive.args;
    const what = type.toUpperCase() === 'ANY' ? 'all types' : `type ${type.toUpperCase()}`;
    return finding(
      'FW4141',
      directive,
      `the template has a condition and no fallthrough: other names of ${zoneText(zones)} are SERVFAIL for ${what}`,
      { why: `They do not get to ${victim.name} in line ${victim.position.line}.` },
    );
  });
}

export function nothingAnswers(block: BlockModel): LintFinding[] {
  const unknown = block.running.some(({ name }) => runsAt(name) === Infinity);
  if (unknown || block.running.some(({ name }) => answerers.has(name) || sometimes.has(name))) return [];
  return [
    finding('FW4135', block.source, `${blockText(block)} has no plugin that answers`, {
      why: 'Every query for its zones is REFUSED.',
    }),
  ];
}

/** Written before, and run after: pairs where somebody may count on the order of the file. */
export function misleadingOrder(block: BlockModel): LintFinding[] {
  const { directives } = block.source;
  return [...forwardAbove(block, directives), ...rewriteBelow(directives)];
}

function forwardAbove(block: BlockModel, directives: readonly Directive[]): LintFinding[] {
  return directives.flatMap((forward, i) => {
    if (forward.name !== 'forward') return [];
    const own = effectiveZones(forward, block);
    const below = directives
      .slice(i + 1)
      .filter(({ name }) => answerers.has(name) && runsAt(name) < runsAt('forward'))
      .filter((other) => effectiveZones(other, block).some((a) => own.some((b) => isInZone(a, b))));
    if (below.length === 0) return [];
    const names = [...new Set(below.map(({ name, position }) => `${name} (line ${position.line})`))].join(', ');
    return finding('FW4142', forward, `forward is written above ${names} and runs after`, {
      why: 'Plugins run in a fixed order. Their names are answered there and not forwarded, whatever the file suggests.',
    });
  });
}

function rewriteBelow(directives: readonly Directive[]): LintFinding[] {
  const cache = directives.findIndex(({ name }) => name === 'cache');
  const rewrite = cache < 0 ? undefined : directives.slice(cache + 1).find(({ name }) => name === 'rewrite');
  if (!rewrite) return [];
  return [
    finding(
      'FW4142',
      rewrite,
      `rewrite is written below cache (line ${directives[cache]!.position.line}) and runs before it`,
      {
        why: 'The cache is asked for the new name and keeps answers under it: rules are applied to every query, also to those answered from the cache.',
      },
    ),
  ];
}
