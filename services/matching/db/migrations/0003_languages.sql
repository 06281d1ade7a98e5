-- Stored language tags in the form in which they are kept from here on (shared/languages.py). Matching reads
-- older forms as well; this lets a coordinator see the same tag everywhere, and has those who wait looked at
-- anew. A test holds the table equal to what the module says.
create table language_alias (alias text primary key, tag text not null);

insert into language_alias values
    ('aa-saaho', 'ssy'), ('aam', 'aas'), ('aar', 'aa'), ('abk', 'ab'), ('adp', 'dz'), ('afr', 'af'),
    ('agp', 'apf'), ('ais', 'ami'), ('aka', 'ak'), ('alb', 'sq'), ('amh', 'am'), ('ar-aao', 'aao'),
    ('ar-abh', 'abh'), ('ar-abv', 'abv'), ('ar-acm', 'acm'), ('ar-acq', 'acq'), ('ar-acw', 'acw'),
    ('ar-acx', 'acx'), ('ar-acy', 'acy'), ('ar-adf', 'adf'), ('ar-aeb', 'aeb'), ('ar-aec', 'aec'),
    ('ar-afb', 'afb'), ('ar-ajp', 'ajp'), ('ar-apc', 'apc'), ('ar-apd', 'apd'), ('ar-arb', 'arb'),
    ('ar-arq', 'arq'), ('ar-ars', 'ars'), ('ar-ary', 'ary'), ('ar-arz', 'arz'), ('ar-auz', 'auz'),
    ('ar-avl', 'avl'), ('ar-ayh', 'ayh'), ('ar-ayl', 'ayl'), ('ar-ayn', 'ayn'), ('ar-ayp', 'ayp'),
    ('ar-bbz', 'bbz'), ('ar-pga', 'pga'), ('ar-shu', 'shu'), ('ar-ssh', 'ssh'), ('ara', 'ar'),
    ('arg', 'an'), ('arm', 'hy'), ('art-lojban', 'jbo'), ('asd', 'snz'), ('asm', 'as'), ('aue', 'ktz'),
    ('ava', 'av'), ('ave', 'ae'), ('aym', 'ay'), ('ayx', 'nun'), ('aze', 'az'), ('bak', 'ba'),
    ('bam', 'bm'), ('baq', 'eu'), ('baz', 'nvo'), ('bel', 'be'), ('ben', 'bn'), ('bgm', 'bcg'),
    ('bhk', 'fbl'), ('bic', 'bir'), ('bih', 'bh'), ('bis', 'bi'), ('bjd', 'drl'), ('bjq', 'bzc'),
    ('bkb', 'ebk'), ('blg', 'iba'), ('bod', 'bo'), ('bos', 'bs'), ('bre', 'br'), ('btb', 'beb'),
    ('bul', 'bg'), ('bur', 'my'), ('cat', 'ca'), ('ccq', 'rki'), ('cel-gaulish', 'xtg'), ('ces', 'cs'),
    ('cha', 'ch'), ('che', 'ce'), ('chi', 'zh'), ('chu', 'cu'), ('chv', 'cv'), ('cjr', 'mom'),
    ('cka', 'cmr'), ('cmk', 'xch'), ('cor', 'kw'), ('cos', 'co'), ('coy', 'pij'), ('cqu', 'quh'),
    ('cre', 'cr'), ('cym', 'cy'), ('cze', 'cs'), ('daf', 'dnj'), ('dan', 'da'), ('dap', 'njz'),
    ('deu', 'de'), ('dit', 'dif'), ('div', 'dv'), ('djl', 'dze'), ('dkl', 'aqd'), ('drh', 'khk'),
    ('drr', 'kzk'), ('drw', 'prs'), ('dud', 'uth'), ('duj', 'dwu'), ('dut', 'nl'), ('dwl', 'dbt'),
    ('dzo', 'dz'), ('ell', 'el'), ('elp', 'amq'), ('en-gb-oed', 'en-GB-oxendict'), ('eng', 'en'),
    ('epo', 'eo'), ('est', 'et'), ('eus', 'eu'), ('ewe', 'ee'), ('fao', 'fo'), ('fas', 'fa'), ('fij', 'fj'),
    ('fin', 'fi'), ('fra', 'fr'), ('fre', 'fr'), ('fry', 'fy'), ('ful', 'ff'), ('gav', 'dev'),
    ('gbc', 'wny'), ('geo', 'ka'), ('ger', 'de'), ('gfx', 'vaj'), ('ggn', 'gvr'), ('ggo', 'esg'),
    ('ggr', 'gtu'), ('gio', 'aou'), ('gla', 'gd'), ('gle', 'ga'), ('glg', 'gl'), ('gli', 'kzk'),
    ('glv', 'gv'), ('gre', 'el'), ('grn', 'gn'), ('gti', 'nyc'), ('guj', 'gu'), ('guv', 'duz'),
    ('hat', 'ht'), ('hau', 'ha'), ('hbs', 'sh'), ('heb', 'he'), ('her', 'hz'), ('hin', 'hi'), ('hmo', 'ho'),
    ('hrr', 'jal'), ('hrv', 'hr'), ('hun', 'hu'), ('hy-arevmda', 'hyw'), ('hye', 'hy'), ('ibi', 'opa'),
    ('ibo', 'ig'), ('ice', 'is'), ('ido', 'io'), ('iii', 'ii'), ('iku', 'iu'), ('ile', 'ie'),
    ('ill', 'ilm'), ('ilw', 'gal'), ('in', 'id'), ('ina', 'ia'), ('ind', 'id'), ('ipk', 'ik'),
    ('isl', 'is'), ('ita', 'it'), ('iw', 'he'), ('izi', 'eza'), ('jar', 'jgk'), ('jav', 'jv'),
    ('jeg', 'oyb'), ('ji', 'yi'), ('jpn', 'ja'), ('jw', 'jv'), ('kal', 'kl'), ('kan', 'kn'), ('kas', 'ks'),
    ('kat', 'ka'), ('kau', 'kr'), ('kaz', 'kk'), ('kdv', 'zkd'), ('kgc', 'tdf'), ('kgd', 'ncq'),
    ('kgh', 'kml'), ('khm', 'km'), ('kik', 'ki'), ('kin', 'rw'), ('kir', 'ky'), ('koj', 'kwv'),
    ('kok-gom', 'gom'), ('kok-knn', 'knn'), ('kom', 'kv'), ('kon', 'kg'), ('kor', 'ko'), ('kpp', 'jkm'),
    ('krm', 'bmf'), ('ktr', 'dtp'), ('kua', 'kj'), ('kur', 'ku'), ('kvs', 'gdj'), ('kwq', 'yam'),
    ('kxe', 'tvd'), ('kxl', 'kru'), ('kzh', 'dgl'), ('kzj', 'dtp'), ('kzt', 'dtp'), ('lao', 'lo'),
    ('lat', 'la'), ('lav', 'lv'), ('leg', 'enl'), ('lii', 'raq'), ('lim', 'li'), ('lin', 'ln'),
    ('lit', 'lt'), ('llo', 'ngt'), ('lmm', 'rmx'), ('ltz', 'lb'), ('lub', 'lu'), ('lug', 'lg'),
    ('lv-ltg', 'ltg'), ('lv-lvs', 'lvs'), ('mac', 'mk'), ('mah', 'mh'), ('mal', 'ml'), ('mao', 'mi'),
    ('mar', 'mr'), ('may', 'ms'), ('meg', 'cir'), ('mgx', 'jbk'), ('mkd', 'mk'), ('mlg', 'mg'),
    ('mlt', 'mt'), ('mnt', 'wnn'), ('mo', 'ro'), ('mof', 'xnt'), ('mol', 'ro'), ('mon', 'mn'),
    ('mri', 'mi'), ('ms-bjn', 'bjn'), ('ms-btj', 'btj'), ('ms-bve', 'bve'), ('ms-bvu', 'bvu'),
    ('ms-coa', 'coa'), ('ms-dup', 'dup'), ('ms-hji', 'hji'), ('ms-jak', 'jak'), ('ms-jax', 'jax'),
    ('ms-kvb', 'kvb'), ('ms-kvr', 'kvr'), ('ms-kxd', 'kxd'), ('ms-lce', 'lce'), ('ms-lcf', 'lcf'),
    ('ms-liw', 'liw'), ('ms-max', 'max'), ('ms-meo', 'meo'), ('ms-mfa', 'mfa'), ('ms-mfb', 'mfb'),
    ('ms-min', 'min'), ('ms-mqg', 'mqg'), ('ms-msi', 'msi'), ('ms-mui', 'mui'), ('ms-orn', 'orn'),
    ('ms-ors', 'ors'), ('ms-pel', 'pel'), ('ms-pse', 'pse'), ('ms-tmw', 'tmw'), ('ms-urk', 'urk'),
    ('ms-vkk', 'vkk'), ('ms-vkt', 'vkt'), ('ms-xmm', 'xmm'), ('ms-zlm', 'zlm'), ('ms-zmi', 'zmi'),
    ('ms-zsm', 'zsm'), ('msa', 'ms'), ('mst', 'mry'), ('mwd', 'dmw'), ('mwj', 'vaj'), ('mya', 'my'),
    ('myd', 'aog'), ('myt', 'mry'), ('nad', 'xny'), ('nau', 'na'), ('nav', 'nv'), ('nbf', 'nru'),
    ('nbl', 'nr'), ('nbx', 'ekc'), ('ncp', 'kdz'), ('nde', 'nd'), ('ndo', 'ng'), ('nep', 'ne'),
    ('nld', 'nl'), ('nln', 'azd'), ('nlr', 'nrk'), ('nno', 'nn'), ('nns', 'nbr'), ('nnx', 'ngv'),
    ('no-bok', 'nb'), ('no-bokmal', 'nb'), ('no-nyn', 'nn'), ('no-nynorsk', 'nn'), ('nob', 'nb'),
    ('noo', 'dtd'), ('nor', 'no'), ('nts', 'pij'), ('nxu', 'bpp'), ('nya', 'ny'), ('oci', 'oc'),
    ('oji', 'oj'), ('ori', 'or'), ('orm', 'om'), ('oss', 'os'), ('oun', 'vaj'), ('pan', 'pa'),
    ('pat', 'kxr'), ('pcr', 'adx'), ('per', 'fa'), ('pli', 'pi'), ('pmc', 'huw'), ('pmu', 'phr'),
    ('pol', 'pl'), ('por', 'pt'), ('ppa', 'bfy'), ('ppr', 'lcq'), ('pry', 'prt'), ('pus', 'ps'),
    ('puz', 'pub'), ('que', 'qu'), ('rmr', 'emx'), ('roh', 'rm'), ('ron', 'ro'), ('rum', 'ro'),
    ('run', 'rn'), ('rus', 'ru'), ('sag', 'sg'), ('san', 'sa'), ('sap', 'aqt'), ('sca', 'hle'),
    ('scc', 'sr'), ('scr', 'hr'), ('sgl', 'isk'), ('sgn-ads', 'ads'), ('sgn-aed', 'aed'),
    ('sgn-aen', 'aen'), ('sgn-afg', 'afg'), ('sgn-ase', 'ase'), ('sgn-asf', 'asf'), ('sgn-asp', 'asp'),
    ('sgn-asq', 'asq'), ('sgn-asw', 'asw'), ('sgn-be-fr', 'sfb'), ('sgn-be-nl', 'vgt'), ('sgn-bfi', 'bfi'),
    ('sgn-bfk', 'bfk'), ('sgn-bog', 'bog'), ('sgn-bqn', 'bqn'), ('sgn-bqy', 'bqy'), ('sgn-br', 'bzs'),
    ('sgn-bvl', 'bvl'), ('sgn-bzs', 'bzs'), ('sgn-cds', 'cds'), ('sgn-ch-de', 'sgg'), ('sgn-co', 'csn'),
    ('sgn-csc', 'csc'), ('sgn-csd', 'csd'), ('sgn-cse', 'cse'), ('sgn-csf', 'csf'), ('sgn-csg', 'csg'),
    ('sgn-csl', 'csl'), ('sgn-csn', 'csn'), ('sgn-csq', 'csq'), ('sgn-csr', 'csr'), ('sgn-csx', 'csx'),
    ('sgn-de', 'gsg'), ('sgn-dk', 'dsl'), ('sgn-doq', 'doq'), ('sgn-dse', 'dse'), ('sgn-dsl', 'dsl'),
    ('sgn-ecs', 'ecs'), ('sgn-ehs', 'ehs'), ('sgn-es', 'ssp'), ('sgn-esl', 'esl'), ('sgn-esn', 'esn'),
    ('sgn-eso', 'eso'), ('sgn-eth', 'eth'), ('sgn-fcs', 'fcs'), ('sgn-fr', 'fsl'), ('sgn-fse', 'fse'),
    ('sgn-fsl', 'fsl'), ('sgn-fss', 'fss'), ('sgn-gb', 'bfi'), ('sgn-gds', 'gds'), ('sgn-gr', 'gss'),
    ('sgn-gse', 'gse'), ('sgn-gsg', 'gsg'), ('sgn-gsm', 'gsm'), ('sgn-gss', 'gss'), ('sgn-gus', 'gus'),
    ('sgn-hab', 'hab'), ('sgn-haf', 'haf'), ('sgn-hds', 'hds'), ('sgn-hks', 'hks'), ('sgn-hos', 'hos'),
    ('sgn-hps', 'hps'), ('sgn-hsh', 'hsh'), ('sgn-hsl', 'hsl'), ('sgn-icl', 'icl'), ('sgn-ie', 'isg'),
    ('sgn-iks', 'iks'), ('sgn-ils', 'ils'), ('sgn-inl', 'inl'), ('sgn-ins', 'ins'), ('sgn-ise', 'ise'),
    ('sgn-isg', 'isg'), ('sgn-isr', 'isr'), ('sgn-it', 'ise'), ('sgn-jcs', 'jcs'), ('sgn-jhs', 'jhs'),
    ('sgn-jks', 'jks'), ('sgn-jls', 'jls'), ('sgn-jos', 'jos'), ('sgn-jp', 'jsl'), ('sgn-jsl', 'jsl'),
    ('sgn-jus', 'jus'), ('sgn-kgi', 'kgi'), ('sgn-kvk', 'kvk'), ('sgn-lbs', 'lbs'), ('sgn-lls', 'lls'),
    ('sgn-lsb', 'lsb'), ('sgn-lsg', 'lsg'), ('sgn-lsl', 'lsl'), ('sgn-lsn', 'lsn'), ('sgn-lso', 'lso'),
    ('sgn-lsp', 'lsp'), ('sgn-lst', 'lst'), ('sgn-lsv', 'lsv'), ('sgn-lsy', 'lsy'), ('sgn-lws', 'lws'),
    ('sgn-mdl', 'mdl'), ('sgn-mfs', 'mfs'), ('sgn-mre', 'mre'), ('sgn-msd', 'msd'), ('sgn-msr', 'msr'),
    ('sgn-mx', 'mfs'), ('sgn-mzc', 'mzc'), ('sgn-mzg', 'mzg'), ('sgn-mzy', 'mzy'), ('sgn-nbs', 'nbs'),
    ('sgn-ncs', 'ncs'), ('sgn-ni', 'ncs'), ('sgn-nl', 'dse'), ('sgn-no', 'nsl'), ('sgn-nsi', 'nsi'),
    ('sgn-nsl', 'nsl'), ('sgn-nsp', 'nsp'), ('sgn-nsr', 'nsr'), ('sgn-nzs', 'nzs'), ('sgn-okl', 'okl'),
    ('sgn-pgz', 'pgz'), ('sgn-pks', 'pks'), ('sgn-prl', 'prl'), ('sgn-prz', 'prz'), ('sgn-psc', 'psc'),
    ('sgn-psd', 'psd'), ('sgn-psg', 'psg'), ('sgn-psl', 'psl'), ('sgn-pso', 'pso'), ('sgn-psp', 'psp'),
    ('sgn-psr', 'psr'), ('sgn-pt', 'psr'), ('sgn-pys', 'pys'), ('sgn-rms', 'rms'), ('sgn-rsi', 'rsi'),
    ('sgn-rsl', 'rsl'), ('sgn-rsm', 'rsm'), ('sgn-sdl', 'sdl'), ('sgn-se', 'swl'), ('sgn-sfb', 'sfb'),
    ('sgn-sfs', 'sfs'), ('sgn-sgg', 'sgg'), ('sgn-sgx', 'sgx'), ('sgn-slf', 'slf'), ('sgn-sls', 'sls'),
    ('sgn-sqk', 'sqk'), ('sgn-sqs', 'sqs'), ('sgn-sqx', 'sqx'), ('sgn-ssp', 'ssp'), ('sgn-ssr', 'ssr'),
    ('sgn-svk', 'svk'), ('sgn-swl', 'swl'), ('sgn-syy', 'syy'), ('sgn-szs', 'szs'), ('sgn-tse', 'tse'),
    ('sgn-tsm', 'tsm'), ('sgn-tsq', 'tsq'), ('sgn-tss', 'tss'), ('sgn-tsy', 'tsy'), ('sgn-tza', 'tza'),
    ('sgn-ugn', 'ugn'), ('sgn-ugy', 'ugy'), ('sgn-ukl', 'ukl'), ('sgn-uks', 'uks'), ('sgn-us', 'ase'),
    ('sgn-vgt', 'vgt'), ('sgn-vsi', 'vsi'), ('sgn-vsl', 'vsl'), ('sgn-vsv', 'vsv'), ('sgn-wbs', 'wbs'),
    ('sgn-xki', 'xki'), ('sgn-xml', 'xml'), ('sgn-xms', 'xms'), ('sgn-yds', 'yds'), ('sgn-ygs', 'ygs'),
    ('sgn-yhs', 'yhs'), ('sgn-ysl', 'ysl'), ('sgn-ysm', 'ysm'), ('sgn-za', 'sfs'), ('sgn-zib', 'zib'),
    ('sgn-zsl', 'zsl'), ('sin', 'si'), ('skk', 'oyb'), ('slk', 'sk'), ('slo', 'sk'), ('slv', 'sl'),
    ('sme', 'se'), ('smo', 'sm'), ('sna', 'sn'), ('snd', 'sd'), ('som', 'so'), ('sot', 'st'), ('spa', 'es'),
    ('sqi', 'sq'), ('srd', 'sc'), ('srp', 'sr'), ('ssw', 'ss'), ('sul', 'sgd'), ('sum', 'ulw'),
    ('sun', 'su'), ('sw-swc', 'swc'), ('sw-swh', 'swh'), ('swa', 'sw'), ('swe', 'sv'), ('tah', 'ty'),
    ('tam', 'ta'), ('tat', 'tt'), ('tdu', 'dtp'), ('tel', 'te'), ('tgg', 'bjp'), ('tgk', 'tg'),
    ('tgl', 'tl'), ('tha', 'th'), ('thc', 'tpo'), ('thw', 'ola'), ('thx', 'oyb'), ('tib', 'bo'),
    ('tid', 'itd'), ('tie', 'ras'), ('tir', 'ti'), ('tkk', 'twm'), ('tlw', 'weo'), ('tmp', 'tyj'),
    ('tne', 'kak'), ('tnf', 'prs'), ('ton', 'to'), ('tsf', 'taj'), ('tsn', 'tn'), ('tso', 'ts'),
    ('tuk', 'tk'), ('tur', 'tr'), ('twi', 'tw'), ('uig', 'ug'), ('ukr', 'uk'), ('unp', 'wro'),
    ('uok', 'ema'), ('urd', 'ur'), ('uz-uzn', 'uzn'), ('uz-uzs', 'uzs'), ('uzb', 'uz'), ('ven', 've'),
    ('vie', 'vi'), ('vol', 'vo'), ('wel', 'cy'), ('wgw', 'wgb'), ('wit', 'nol'), ('wiw', 'nwo'),
    ('wln', 'wa'), ('wol', 'wo'), ('xba', 'cax'), ('xho', 'xh'), ('xia', 'acn'), ('xkh', 'waw'),
    ('xrq', 'dmw'), ('ybd', 'rki'), ('yen', 'ynq'), ('yid', 'yi'), ('yiy', 'yrm'), ('yma', 'lrr'),
    ('ymt', 'mtm'), ('yor', 'yo'), ('yos', 'zom'), ('yuu', 'yug'), ('zh-cdo', 'cdo'), ('zh-cjy', 'cjy'),
    ('zh-cmn', 'cmn'), ('zh-cmn-hans', 'cmn-Hans'), ('zh-cmn-hant', 'cmn-Hant'), ('zh-cnp', 'cnp'),
    ('zh-cpx', 'cpx'), ('zh-csp', 'csp'), ('zh-czh', 'czh'), ('zh-czo', 'czo'), ('zh-gan', 'gan'),
    ('zh-guoyu', 'cmn'), ('zh-hak', 'hak'), ('zh-hakka', 'hak'), ('zh-hsn', 'hsn'), ('zh-lzh', 'lzh'),
    ('zh-min-nan', 'nan'), ('zh-mnp', 'mnp'), ('zh-nan', 'nan'), ('zh-wuu', 'wuu'), ('zh-xiang', 'hsn'),
    ('zh-yue', 'yue'), ('zha', 'za'), ('zho', 'zh'), ('zir', 'scv'), ('zul', 'zu');

-- The alias of the whole tag, of its first two subtags or of its first; the rest of the tag stays.
create function canonical_languages(tags jsonb) returns jsonb language sql stable as $$
    select coalesce(jsonb_agg(tag order by place), '[]') from (
        select tag, min(place) as place from (
            select given.place, coalesce(
                (select alias.tag || substr(given.tag, length(alias.alias) + 1)
                 from language_alias as alias
                 where alias.alias in (lower(given.tag), lower(split_part(given.tag, '-', 1)), lower(
                     split_part(given.tag, '-', 1) || '-' || split_part(given.tag, '-', 2)))
                 order by length(alias.alias) desc limit 1),
                given.tag) as tag
            from jsonb_array_elements_text(tags) with ordinality as given (tag, place)) as each
        group by tag) as once
$$;

-- Many rows share few lists: each list is looked at once.
create table language_list as
select given, canonical_languages(given) as kept
from (select entry -> 'languages' as given from therapist
      union select needs -> 'languages' from referral where state <> 'closed' and needs is not null) as lists;

delete from language_list where given = kept;

-- Languages of an entry are kept in the order of the alphabet.
with changed as (
    update therapist
    set entry = jsonb_set(entry, '{languages}', (
            select jsonb_agg(tag order by tag collate "C") from jsonb_array_elements_text(kept) as tag)),
        version = version + 1, changed = this_change()
    from language_list
    where entry -> 'languages' = given
    returning therapist.id
)
insert into vacancy (therapist_id, entry) select id, true from changed;

update referral
set needs = jsonb_set(needs, '{languages}', kept),
    try_at = case state when 'waiting' then least(try_at, now()) else try_at end
from language_list
where state <> 'closed' and needs -> 'languages' = given;

with wished as (
    select id, (select jsonb_agg(case wish ->> 'criterion'
                    when 'language'
                    then jsonb_set(wish, '{values}', canonical_languages(wish -> 'values'))
                    else wish end order by place)
                from jsonb_array_elements(needs -> 'wishes') with ordinality as wishes (wish, place)) as wishes
    from referral
    where state <> 'closed' and needs -> 'wishes' @> '[{"criterion": "language"}]'
)
update referral
set needs = jsonb_set(needs, '{wishes}', wishes),
    try_at = case state when 'waiting' then least(try_at, now()) else try_at end
from wished
where referral.id = wished.id and needs -> 'wishes' <> wishes;

drop table language_list;
drop function canonical_languages;
drop table language_alias;
