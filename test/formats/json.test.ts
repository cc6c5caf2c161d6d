import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonSequence, jsonTexts, jsonToCsv } from '../../framework/formats/json.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const csv = (text: string, format: Parameters<typeof jsonToCsv>[1]): string =>
  Buffer.from(jsonToCsv(bytes(text), format, 'answer.json')).toString();

describe('rows of an answer', () => {
  test('lists: by position, numbers as they were written', () => {
    expect(csv('[[1,"a",1.10],[2,null,1e3]]', { columns: ['x', 'y', 'z'] })).toBe('"1","a","1.10"\n"2",,"1e3"\n');
    expect(csv('[[9007199254740993,0.1234567890123456789,-0]]', { columns: ['x', 'y', 'z'] })).toBe(
      '"9007199254740993","0.1234567890123456789","-0"\n',
    );
  });

  test('objects: by name, other members are left, optional ones may lack', () => {
    const format = { columns: ['symbol', 'rate', 'mark'], optional: ['mark'] };
    expect(csv('[{"rate":"0.1","x":{},"symbol":"A"},{"symbol":"B","rate":"0.2","mark":true}]', format)).toBe(
      '"A","0.1",\n"B","0.2","true"\n',
    );
  });

  test('below a path: every list there, nothing else', () => {
    const format = { columns: ['t', 'p'], rows: 'result.*' };
    expect(csv('{"error":[],"result":{"XXBTZUSD":[[1,"2"],[3,"4"]],"last":3}}', format)).toBe('"1","2"\n"3","4"\n');
    expect(csv('{"a":{"b":[[1,2]]}}', { columns: ['t', 'p'], rows: 'a.b' })).toBe('"1","2"\n');
  });

  test('quotes, commas and line feeds stay in their field', () => {
    expect(csv('[["a\\"b,c\\nd",[1,{"k":2}]]]', { columns: ['x', 'y'] })).toBe('"a""b,c\nd","[1,{""k"":2}]"\n');
  });

  test('no rows are no bytes', () => {
    expect(csv('[]', { columns: ['x'] })).toBe('');
  });

  test('what is no list of rows is refused, with the file and what it holds', () => {
    const format = { columns: ['x', 'y'] };
    const problem = (text: string, rows?: string) => () => csv(text, rows === undefined ? format : { ...format, rows });
    expect(problem('{"code":-1121,"msg":"Invalid symbol."}')).toThrow(
      'answer.json: The document should be a list of rows',
    );
    expect(problem('{"error":["EGeneral:Too many requests"]}', 'result.*')).toThrow(
      'At result.* there should be a list',
    );
    expect(problem('[[1]]')).toThrow('a row has 1 elements, expected x, y: [1]');
    expect(problem('[[1,2,3]]')).toThrow('a row has 3 elements');
    expect(problem('[{"x":1}]')).toThrow("a row has no 'y'");
    expect(problem('[5]')).toThrow('this is not a row: 5');
    expect(problem('[[1,2]')).toThrow('answer.json: this is not JSON');
    expect(() => jsonToCsv(Buffer.of(0x22, 0xff, 0x22), format, 'answer.json')).toThrow('this is not JSON');
  });
});

describe('several answers in one file', () => {
  test('each is kept byte for byte', () => {
    const answer = fc.json().map(bytes);
    fc.assert(
      fc.property(fc.array(answer, { minLength: 1 }), (texts) => {
        const back = jsonTexts(jsonSequence(texts)).map((text) => Buffer.from(text.subarray(0, -1)));
        expect(back).toEqual(texts);
      }),
    );
  });

  test('their rows follow each other', () => {
    const pages = jsonSequence([bytes('[[1,2]]'), bytes('[]'), bytes(' [[3,\n4]] ')]);
    expect(Buffer.from(jsonToCsv(pages, { columns: ['x', 'y'] }, 'answer.json')).toString()).toBe('"1","2"\n"3","4"\n');
  });

  test('a text alone is a sequence of one', () => {
    expect(jsonTexts(bytes('[[1]]'))).toEqual([bytes('[[1]]')]);
    expect(jsonTexts(new Uint8Array())).toEqual([new Uint8Array()]);
  });
});
