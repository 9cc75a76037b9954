/** Words whose full stop need not end a sentence, in the languages most spoken to us. Lower case, without the stop. */

/** A name, a number or the thing meant follows: the stop never ends a sentence. */
const PREFIXES = `
  mr mrs ms mx dr prof rev fr hon gen sen rep gov pres lt col capt cpt cmdr sgt maj adm messrs mme mlle mm
  st mt ft vs cf ca approx e.g i.e eg ie viz dept est incl excl max min
  hr frl z.b z.bsp d.h u.a u.u o.ä bzw evtl ggf inkl zzgl vgl sog geb gest str
  sr sra srta sta ud uds dña av avda p.ej
  p.ex env tél dott sig sig.ra ing avv dhr mevr drs ir bijv o.a
`

/** They may end a sentence; the next word tells. */
const OPEN = `
  etc inc ltd co corp llc bros jr sr esq a.m p.m u.s u.k u.n e.u d.c ph.d m.d b.a m.a b.c a.d
  usw u.s.w ff dgl uvm enz ecc
  jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun
  ave blvd rd sq apt
`

/** A number belongs to them: "No. 5", "Fig. 2". Without one they are words like others. */
const NUMBERED = 'no nos nr num fig figs vol ch chap sec art p pp pg ver rev tel ext al abs kap'

/** Words that begin sentences far more often than they stand in the middle with a capital. */
const STARTERS = `
  the a an this that these those there here it its he she we they i you my your our his her their
  and but or so if when while then after before because although however also in on at for to with as from by
  what which who where why how is are was were do does did can could would should will please let yes no not
  next first now today meanwhile still thanks thank sure well
  der die das ein eine er sie es wir ihr ich du und aber oder wenn dann auch dies diese ist sind
  el la los las un una yo tú él ella nosotros pero y si cuando
  le les je tu il elle nous vous et mais quand
`

const MONTHS = `
  januar februar märz april mai juni juli august september oktober november dezember jahrhundert klasse etage stock
`

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/).filter((word) => word !== ''))

export const prefixes = words(PREFIXES)
export const openAbbreviations = words(OPEN)
export const numbered = words(NUMBERED)
export const starters = words(STARTERS)
/** After a German ordinal ("am 3. Mai") the sentence goes on. */
export const afterOrdinal = words(MONTHS)
/** Longest word that has to be known to decide anything. */
export const LONGEST_STARTER = 12
