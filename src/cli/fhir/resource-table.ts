/** Where a resource type keeps what a record's search fields say; dotted paths as in `valuesAt`, the first hit wins. */
export interface ResourceRow {
  /** CodeableConcepts and Codings whose every coding becomes a search code. */
  readonly codes: readonly string[];
  /** Dates and date-times. */
  readonly dates: readonly string[];
  /** References that may name the practitioner who answers for the resource. */
  readonly authors: readonly string[];
  /** References that may name the organisation where it happened. */
  readonly organisations: readonly string[];
  /** References to its encounter. */
  readonly encounters: readonly string[];
}

const ENCOUNTERS = ['encounter', 'context.encounter', 'item.encounter'];

/**
 * One row a resource type; all others are read by `OTHER_TYPES`. Codes are what the type's FHIR search parameters
 * `code`, `combo-code`, `type`, `category` and `modality` find; billed items, reasons and values are not codes of a
 * record. Dates are those of the type's FHIR search parameter `date` (or its like), then of the recording.
 */
const TABLE: Readonly<Record<string, Partial<ResourceRow>>> = {
  AllergyIntolerance: {
    codes: ['code'],
    dates: ['onsetDateTime', 'onsetPeriod.start', 'recordedDate'],
    authors: ['recorder', 'asserter'],
  },
  CarePlan: { codes: ['category'], dates: ['period.start', 'created'], authors: ['author', 'contributor'] },
  Claim: {
    codes: ['type'],
    dates: ['created', 'billablePeriod.start'],
    authors: ['provider', 'enterer', 'careTeam.provider'],
    organisations: ['provider'],
  },
  Condition: {
    codes: ['code', 'category'],
    dates: ['onsetDateTime', 'onsetPeriod.start', 'recordedDate'],
    authors: ['recorder', 'asserter'],
  },
  DiagnosticReport: {
    codes: ['code', 'category'],
    dates: ['effectiveDateTime', 'effectivePeriod.start', 'issued'],
    authors: ['performer', 'resultsInterpreter'],
    organisations: ['performer'],
  },
  DocumentReference: {
    codes: ['type', 'category'],
    dates: ['date', 'context.period.start'],
    authors: ['author', 'authenticator'],
    organisations: ['custodian'],
  },
  Encounter: {
    codes: ['type'],
    dates: ['period.start'],
    authors: ['participant.individual'],
    organisations: ['serviceProvider'],
  },
  ExplanationOfBenefit: {
    codes: ['type'],
    dates: ['created', 'billablePeriod.start'],
    authors: ['provider', 'enterer', 'careTeam.provider'],
    organisations: ['provider'],
  },
  Goal: { codes: ['description', 'category'], dates: ['startDate', 'statusDate'], authors: ['expressedBy'] },
  ImagingStudy: {
    codes: ['procedureCode', 'modality', 'series.modality'],
    dates: ['started'],
    authors: ['referrer', 'interpreter'],
  },
  Immunization: {
    codes: ['vaccineCode'],
    dates: ['occurrenceDateTime', 'recorded'],
    authors: ['performer.actor'],
    organisations: ['performer.actor'],
  },
  MedicationRequest: {
    codes: ['medicationCodeableConcept', 'category'],
    dates: ['authoredOn'],
    authors: ['requester', 'recorder'],
  },
  Observation: {
    codes: ['code', 'category', 'component.code'],
    dates: ['effectiveDateTime', 'effectivePeriod.start', 'effectiveInstant', 'issued'],
    authors: ['performer'],
    organisations: ['performer'],
  },
  // People and places have no date of their own: a birth date is not when the record came about.
  Organization: { codes: ['type'], dates: [], authors: [] },
  Patient: { codes: [], dates: [], authors: ['generalPractitioner'], organisations: ['managingOrganization'] },
  Practitioner: { codes: [], dates: [], authors: [] },
  Procedure: {
    codes: ['code', 'category'],
    dates: ['performedDateTime', 'performedPeriod.start'],
    authors: ['performer.actor', 'recorder', 'asserter'],
    organisations: ['performer.onBehalfOf', 'performer.actor'],
  },
  Provenance: {
    codes: ['activity'],
    dates: ['occurredDateTime', 'occurredPeriod.start', 'recorded'],
    authors: ['agent.who'],
    organisations: ['agent.onBehalfOf'],
  },
};

const OTHER_TYPES: ResourceRow = {
  codes: ['code', 'vaccineCode', 'medicationCodeableConcept', 'type', 'category'],
  dates: [
    'effectiveDateTime',
    'effectivePeriod.start',
    'occurrenceDateTime',
    'occurrencePeriod.start',
    'performedDateTime',
    'performedPeriod.start',
    'onsetDateTime',
    'period.start',
    'authoredOn',
    'date',
    'dateTime',
    'created',
    'recordedDate',
    'recorded',
    'issued',
  ],
  authors: ['author', 'performer', 'performer.actor', 'requester', 'recorder', 'asserter', 'agent.who'],
  organisations: ['serviceProvider', 'custodian', 'managingOrganization', 'organization'],
  encounters: ENCOUNTERS,
};

/** The row of a resource type. */
export function resourceRow(type: string): ResourceRow {
  const row = Object.hasOwn(TABLE, type) ? TABLE[type] : undefined;
  if (row === undefined) return OTHER_TYPES;
  return { codes: [], dates: [], authors: [], organisations: [], encounters: ENCOUNTERS, ...row };
}
