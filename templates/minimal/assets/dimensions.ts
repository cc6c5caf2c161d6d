import { daily, dynamicDimension } from 'crypto-lakehouse';

export const symbol = dynamicDimension("a pair, e.g. 'BTC-EUR'");
export const date = daily({ start: '2024-01-01' });
