import { z } from 'zod';

export const httpUrl = () => z.url({ protocol: /^https?$/, error: 'Expected an http or https URL' });
