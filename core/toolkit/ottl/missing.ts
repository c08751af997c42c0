const NO_LAMBDAS = 'there are no lambdas: for one value of a list use ContainsValue or Index'
const NO_XML = 'there is no XML: take parts of the text with ExtractPatterns'
const NO_FORMATS =
  'formats are ParseJSON, ParseKeyValue and ParseCSV: take other texts apart with ExtractPatterns'
const HASHES = 'hashes are FNV, MD5, SHA1, SHA256 and SHA512'

/** Functions of the Collector that are missing here, and what there is instead. */
export const MISSING: ReadonlyMap<string, string> = new Map(
  Object.entries({
    All: NO_LAMBDAS,
    Any: NO_LAMBDAS,
    Filter: NO_LAMBDAS,
    Find: NO_LAMBDAS,
    MapEach: NO_LAMBDAS,
    MapKeys: NO_LAMBDAS,
    Reduce: NO_LAMBDAS,
    When: 'write two statements, each with its where',
    ConvertAttributesToElementsXML: NO_XML,
    ConvertTextToElementsXML: NO_XML,
    GetXML: NO_XML,
    InsertXML: NO_XML,
    ParseSimplifiedXML: NO_XML,
    ParseXML: NO_XML,
    RemoveXML: NO_XML,
    ParseCEF: NO_FORMATS,
    ParseCLF: NO_FORMATS,
    ParseELF: NO_FORMATS,
    ParseLEEF: NO_FORMATS,
    UserAgent: 'take the parts that matter with ExtractPatterns',
    CommunityID: HASHES,
    Murmur3Hash: HASHES,
    Murmur3Hash128: HASHES,
    XXH3: HASHES,
    XXH128: HASHES,
    UUIDv7: 'UUID() makes one that is the same when the record is delivered again',
    IsRootSpan: 'it is about spans, not log records',
    ProfileID: 'it is about profiles, not log records',
  }),
)
