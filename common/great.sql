-- A piece of others: true of role, a row of pg_roles, if it can become a superuser: as a member, or by
-- what it may write or run on the server's machine.  To such a one nobody can lend any right.
EXISTS (SELECT FROM pg_catalog.pg_roles AS su
         WHERE (su.rolsuper OR su.rolname IN ('pg_write_server_files', 'pg_execute_server_program'))
           AND pg_catalog.pg_has_role(role.oid, su.oid, 'MEMBER'))
