create table things (id serial, name text);
insert into things (name) values ('hello');
