-- The bakery's own tables. They know nothing of rowcast.

create table users (
    id    int generated always as identity primary key,
    name  text not null unique,
    role  text not null check (role in ('customer', 'staff')),
    email text not null
);

create table items (
    name  text primary key,
    cents int not null check (cents > 0)
);

create table orders (
    id         int generated always as identity primary key,
    user_id    int not null references users,
    item       text not null references items,
    quantity   int not null default 1 check (quantity between 1 and 24),
    status     text not null default 'ordered' check (status in ('ordered', 'baking', 'ready', 'collected', 'cancelled')),
    ordered_at timestamptz not null default now()
);
create index on orders (user_id);

create table rooms (
    id         int generated always as identity primary key,
    name       text not null unique,
    topic      text not null,
    staff_only boolean not null default false
);

create table members (
    room_id int references rooms on delete cascade,
    user_id int references users on delete cascade,
    primary key (room_id, user_id)
);
create index on members (user_id);

create table messages (
    id      uuid primary key,
    room_id int not null references rooms on delete cascade,
    user_id int not null references users,
    body    text not null check (length(body) between 1 and 500),
    sent_at timestamptz not null default now()
);
create index on messages (room_id, sent_at);

insert into users (name, role, email) values
    ('Ada', 'customer', 'ada@example.com'),
    ('Ben', 'customer', 'ben@example.com'),
    ('Mira', 'staff', 'mira@example.com'),
    ('Otto', 'staff', 'otto@example.com');

insert into items values ('Croissant', 240), ('Sourdough', 620), ('Rye loaf', 540), ('Pretzel', 190), ('Brioche', 310), ('Baguette', 280);

insert into orders (user_id, item, quantity, status, ordered_at) values
    (1, 'Sourdough', 1, 'collected', now() - interval '26 hours'),
    (2, 'Baguette', 2, 'collected', now() - interval '3 hours'),
    (1, 'Croissant', 4, 'ready', now() - interval '40 minutes'),
    (2, 'Rye loaf', 1, 'baking', now() - interval '22 minutes'),
    (1, 'Brioche', 2, 'ordered', now() - interval '6 minutes'),
    (2, 'Pretzel', 6, 'ordered', now() - interval '2 minutes');

insert into rooms (name, topic, staff_only) values
    ('counter', 'Questions and answers', false),
    ('sourdough', 'For people with a starter in the fridge', false),
    ('kitchen', 'Staff only', true);

insert into members values (1, 1), (1, 2), (1, 3), (2, 1), (3, 3), (3, 4);

insert into messages values
    (gen_random_uuid(), 1, 2, 'Is there any rye left today?', now() - interval '31 minutes'),
    (gen_random_uuid(), 1, 3, 'The last one is in the oven, shall I keep it for you?', now() - interval '30 minutes'),
    (gen_random_uuid(), 1, 2, 'Yes please!', now() - interval '29 minutes'),
    (gen_random_uuid(), 2, 1, 'My starter doubled over night.', now() - interval '2 hours'),
    (gen_random_uuid(), 3, 4, 'Oven two runs hot again, take five minutes off.', now() - interval '50 minutes'),
    (gen_random_uuid(), 3, 3, 'Thanks, done.', now() - interval '48 minutes');
