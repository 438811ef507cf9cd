import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';

/** The parts of the OpenAPI document that no endpoint states. */
export const openApiInfo: FastifyDynamicSwaggerOptions = {
  refResolver: { buildLocalReference: (schema, _, __, index) => String(schema['$id'] ?? `schema-${index}`) },
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'medledger node',
      version: '1',
      description:
        'Interface of one node of a medledger network. Every error is a problem document (RFC 9457) with a code of ' +
        'the list at /v1/problems. Measurements (/metrics) are on the listener of the operator.',
    },
    components: {
      securitySchemes: {
        messageSignature: {
          type: 'apiKey',
          in: 'header',
          name: 'Signature',
          description:
            'HTTP message signature (RFC 9421) by a key of an account: components @method, @authority, @path, @query, ' +
            'content-digest, medledger-genesis; parameters created, expires (at most 60 s later), nonce, ' +
            'alg="ed25519", keyid="address#index", tag="medledger-v1".',
        },
      },
    },
  },
};
